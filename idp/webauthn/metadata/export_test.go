package metadata

import "crypto/x509"

// Under is the trust in the same signer under a root of a test.
func (t Trust) Under(root *x509.Certificate) Trust {
	t.roots = x509.NewCertPool()
	t.roots.AddCert(root)
	return t
}
