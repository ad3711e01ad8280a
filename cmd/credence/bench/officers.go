package bench

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// Officers work for the nation, so that everybody is below them, and sign in at level 3: each has a security key of a model that the
// database vouches for.
const (
	nation   = "ZB"
	officers = 64 // the first half proposes and asks, the second approves
	manager  = "S0080:G0450:R5080"
)

func officerID(n int) string             { return fmt.Sprintf("011%09d", n) }
func officerRole(officer string) string  { return "031" + officer[3:] }
func officerPlace(officer string) string { return "021" + officer[3:] }

// model is that of the security keys.
func model() uuid.UUID { return uuid.UUID([]byte("credence bench 1")) }

// ensureOfficers adds the nation with its officers, where they are missing.
func ensureOfficers(ctx context.Context, owner *store.Store, key seal.Key, now time.Time) error {
	there, err := owner.LastPerson(ctx, afterPeople, afterOfficers)
	if err != nil || there != "" {
		return err
	}
	people, err := owner.LastPerson(ctx, firstPerson, afterPeople)
	if err == nil && people != "" {
		err = ErrOlder
	}
	if err != nil {
		return err
	}
	p, err := newPopulation(now)
	if err != nil {
		return err
	}
	root, err := modelRoot(key, now)
	if err != nil {
		return err
	}
	if err := owner.PutAuthenticatorModel(ctx, store.AuthenticatorModel{AAGUID: model(), Name: "Security key in software", Roots: root, CreatedAt: now}); err != nil {
		return fmt.Errorf("add the model of the officers' keys: %w", err)
	}
	b := store.Bulk{Organisations: []store.Organisation{{Code: nation, Name: "Nation (invented)"}}}
	for n := range officers {
		id, name := officerID(n), fmt.Sprintf("Officer %d", n)
		b.People = append(b.People, store.NewPerson{
			ID: id, Handle: handle(id), GivenName: "Officer", FamilyName: fmt.Sprint(n), DisplayName: name, IdentityLevel: "high", DateOfBirth: new(born(n)),
		})
		b.Memberships = append(b.Memberships, store.NewMembership{ID: officerPlace(id), PersonID: id, OrganisationCode: nation})
		b.Roles = append(b.Roles, store.NewRole{ID: officerRole(id), MembershipID: officerPlace(id), JobRole: manager, StartsAt: p.starts})
	}
	if err := owner.Load(ctx, b, now); err != nil {
		return fmt.Errorf("load officers: %w", err)
	}
	return nil
}

// securityKeys are those of the officers.
func securityKeys(key seal.Key) ([]authenticator, error) {
	list := make([]authenticator, officers)
	for n := range list {
		a, err := newAuthenticator(key, officerID(n))
		if err != nil {
			return nil, err
		}
		a.securityKey = true
		list[n] = a
	}
	return list, nil
}

// modelRoot is a certificate of a maker of security keys whom there is not. Nothing is ever signed with it.
func modelRoot(key seal.Key, now time.Time) (string, error) {
	private, err := privateKey(key, "model")
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "credence bench (invented)"}, NotBefore: now, NotAfter: now.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", fmt.Errorf("make the certificate of the model of the officers' keys: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})), nil
}
