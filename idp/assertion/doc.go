// Package assertion is how a client proves with a key of its own that it is itself: the client assertions of RFC 7521 and RFC 7523
// (private_key_jwt of OpenID Connect Core 1.0, Section 9), and the key sets (RFC 7517) that they are verified with.
//
// It guarantees that no private key gets past [ParseKeySet], so that none is stored; that an assertion is worth nothing but to
// this provider, for some minutes, and by an algorithm that its key is for; and that nobody makes a server fetch key sets more
// often than once a minute each ([Published]). That an assertion works once is for whoever takes it: [Presented] says by what
// it is known again.
package assertion
