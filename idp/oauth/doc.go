// Package oauth is the protocol surface: OAuth 2.0 (RFC 6749) and OpenID Connect Core 1.0 over fosite, with PKCE
// (RFC 7636), client assertions (RFC 7523), issuer identification (RFC 9207), JWT access tokens (RFC 9068), provider metadata (OpenID Connect Discovery 1.0,
// RFC 8414) and RP-Initiated Logout 1.0.
//
// fosite is the engine of grants; every edge is ours: parsing, client authentication, tokens, claims, errors, discovery
// and logout. No fosite type leaves this package. Who is signed in, at which level and in which role is asked of session
// and signin, which know nothing of the protocol.
//
// It guarantees that a code or refresh token is worth something once, whatever races; that a refusal leaves its trace
// (a spent code, a revoked grant, a line of the record); that no token works after the person, client, session,
// authenticator or role that it stands on has fallen; and that nobody is redirected to an address that is not
// registered, byte for byte.
//
// # Divergences
//
// Where we are stricter than the text, or lack an option of it:
//
//   - RFC 6749, Section 3.1.1: response type token, and every other but code, is unsupported (RFC 9700, Section 2.1.2).
//   - RFC 6749, Section 3.1.2.3: redirect_uri is required of every request, also when one is registered.
//   - RFC 6749, Section 3.3: a request without scope is refused; there is no default scope.
//   - RFC 6749, Section 4.3 and 4.4: no password and no client credentials grant.
//   - RFC 7636, Section 4.2: plain is refused, and PKCE is required of confidential clients too.
//   - RFC 7523, Section 3: the audiences of a client's assertion are the issuer and the token endpoint, and nobody beside them, who
//     could use it here.
//   - OpenID Connect Core 1.0, Section 6: no request objects.
//   - OpenID Connect Core 1.0, Section 3.1.2.1: display and claims_locales are read past; ui_locales chooses the language of pages.
//
// # Choices
//
// Where the text leaves it open:
//
//   - RFC 7523, Section 3: an assertion of a client is good for five minutes at most and works once. It is taken by the statement
//     that issues tokens or ends what was presented, so what neither does, such as a scope that goes too far, leaves it good.
//   - RFC 6749, Section 6: every use of a refresh token yields a new one. A second use ends the grant, without a grace
//     period (RFC 9700, Section 4.14.2).
//   - RFC 6749, Section 4.1.3: a code is spent by its client's first attempt, also when verifier or redirect_uri are wrong.
//     Another client's attempt does not spend it.
//   - A grant ends when its person signs out, and at the latest when the sign-in that it rests on reaches the absolute limit of
//     its authenticator level. That a session idled out does not end it: that is what offline_access asks for.
//   - OpenID Connect Core 1.0, Section 3.1.2.1: prompt=select_account asks for a sign-in, at which the person may be anybody.
//     prompt=consent is satisfied by policy: staff do not consent to the systems of their employer.
//   - RFC 6749, Section 5.2: a token request from where too many failed gets 429 with Retry-After, and the registered error
//     temporarily_unavailable (RFC 9126, Section 2.3 has a precedent).
//   - OpenID Connect Core 1.0, Section 12.2: refreshed ID tokens have no nonce.
//   - RP-Initiated Logout 1.0, Section 2: a person is asked first, unless the client shows the ID token of this very session.
package oauth
