package oauth

import (
	"slices"
	"strings"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// The scopes: OpenID Connect Core 1.0, Sections 5.4 and 11, and those of the Care Identity Service.
const (
	ScopeOpenID                    = "openid"
	ScopeProfile                   = "profile"
	ScopeEmail                     = "email"
	ScopeOfflineAccess             = "offline_access"
	ScopeNHSPerson                 = "nhsperson"
	ScopeAssociatedOrgs            = "associatedorgs"
	ScopeNationalRBACAccess        = "nationalrbacaccess"
	ScopeProfessionalMemberships   = "professionalmemberships"
	ScopeOrganisationalMemberships = "organisationalmemberships"
	ScopeSelectedRole              = "selectedrole"
	ScopeChangedRole               = "changedrole"        // asks for the role to be chosen again
	ScopeRegistrationRead          = "registration.read"  // of our API, for officers of the registration authority
	ScopeRegistrationWrite         = "registration.write" // no resource but the API is given these two
)

// Scopes lists the scopes that we know.
func Scopes() []string {
	return []string{
		ScopeOpenID, ScopeProfile, ScopeEmail, ScopeOfflineAccess, ScopeNHSPerson, ScopeAssociatedOrgs, ScopeNationalRBACAccess,
		ScopeProfessionalMemberships, ScopeOrganisationalMemberships, ScopeSelectedRole, ScopeChangedRole,
		ScopeRegistrationRead, ScopeRegistrationWrite,
	}
}

// DefaultScopes lists those that a client is registered for which names none: not those that let it act when nobody is there,
// or as an officer.
func DefaultScopes() []string {
	return slices.DeleteFunc(Scopes(), func(s string) bool {
		return s == ScopeOfflineAccess || s == ScopeRegistrationRead || s == ScopeRegistrationWrite
	})
}

// assuranceClaims say how well it is known who acts, and as what. They are in every ID token and access token, and are
// what a service permits or denies on. They describe the sign-in that the grant was given in and nothing newer, and of the
// identity what was so then and still is.
type assuranceClaims struct {
	ACR                string             `json:"acr"`
	AMR                []string           `json:"amr"`
	AuthTime           int64              `json:"auth_time"`
	SessionID          string             `json:"sid"`
	IdentityLevel      string             `json:"identity_assurance_level"`      // GPG 45: none, low, medium, high, very_high
	AuthenticatorLevel string             `json:"authenticator_assurance_level"` // "1", "2", "3"
	Vector             string             `json:"vot,omitempty"`                 // RFC 8485, Section 3: for clients that read vectors
	VectorTrustmark    string             `json:"vtm,omitempty"`                 // where what its components mean is published
	Organisation       *organisationClaim `json:"organisation,omitempty"`        // the one that the active role is for
	Role               *roleClaim         `json:"role,omitempty"`                // the active role
	Roles              []string           `json:"roles,omitempty"`               // RFC 9068, Section 2.2.3.1: the active role's code, alone
	Entitlements       []string           `json:"entitlements,omitempty"`        // RFC 9068, Section 2.2.3.1: the active role's activity codes

	// As the Care Identity Service writes them, beside the claims of our own that say the same.
	IDAssuranceLevel             string `json:"id_assurance_level"`
	AuthenticationAssuranceLevel string `json:"authentication_assurance_level"`
}

type organisationClaim struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

type roleClaim struct {
	ID   string `json:"id"`
	Code string `json:"code"`
	Name string `json:"name"`
}

func (h *Handler) assuranceClaims(g *grant, c client) assuranceClaims {
	reached, demand := g.reached(), g.demand(c)
	acr, vector := demand.Answer(reached)
	claims := assuranceClaims{
		ACR: acr, AMR: g.Methods, AuthTime: g.AuthenticatedAt.Unix(), SessionID: g.SessionID.String(),
		IdentityLevel: string(reached.Identity), AuthenticatorLevel: reached.Authenticator.String(),
		IDAssuranceLevel: reached.Identity.Number(), AuthenticationAssuranceLevel: reached.Authenticator.String(),
	}
	if vector != "" {
		claims.Vector, claims.VectorTrustmark = demand.Trustmark.InIDToken(vector), h.trustmark(demand.Trustmark)
	}
	if role, ok := g.role(); ok {
		claims.Organisation = &organisationClaim{role.OrganisationCode, role.OrganisationName}
		claims.Role = &roleClaim{role.ID, role.JobRole, h.Catalogue.JobRoleShortName(role.JobRole)}
		claims.Roles, claims.Entitlements = []string{role.JobRole}, role.Activities
	}
	return claims
}

// trustmark is where a trustmark is published: vtm of RFC 8485, Section 3.
func (h *Handler) trustmark(t assurance.Trustmark) string {
	return h.Issuer + "/trustmark/" + string(t)
}

// role is the role that was active when the grant was given.
func (g *grant) role() (store.Role, bool) {
	if g.RoleID == nil {
		return store.Role{}, false
	}
	return g.Person.Role(*g.RoleID)
}

// personClaims say who somebody is and all that they may act as, by scope, in the words of the Care Identity Service; one is
// of NHS login. A claim that is not known is absent, never null. Levels are strings, and lists are lists also when they
// have one element.
type personClaims struct {
	Name       string `json:"name,omitempty"`
	GivenName  string `json:"given_name,omitempty"`
	FamilyName string `json:"family_name,omitempty"`
	UID        string `json:"uid,omitempty"`
	Proofing   string `json:"identity_proofing_level,omitempty"` // P0 or P9: for clients that read NHS login's trustmark
	Email      string `json:"email,omitempty"`
	Locale     string `json:"locale,omitempty"` // in which she is written to, of those that pages are in

	UserUID       string `json:"nhsid_useruid,omitempty"`
	Title         string `json:"title,omitempty"`
	MiddleNames   string `json:"middle_names,omitempty"`
	Initials      string `json:"initials,omitempty"`
	DisplayName   string `json:"display_name,omitempty"`
	IdentityLevel string `json:"idassurancelevel,omitempty"`

	GMC        string `json:"gmc_id,omitempty"`
	GDC        string `json:"gdc_id,omitempty"`
	GMP        string `json:"gmp_id,omitempty"`
	GDP        string `json:"gdp_id,omitempty"`
	NMC        string `json:"nmc_id,omitempty"`
	RCN        string `json:"rcn_id,omitempty"`
	GPhC       string `json:"gphc_id,omitempty"`
	Consultant string `json:"consultant_id,omitempty"`

	RBACRoles      []rbacRole   `json:"nhsid_nrbac_roles,omitempty"`
	UserOrgs       []userOrg    `json:"nhsid_user_orgs,omitempty"`
	OrgRoles       []membership `json:"nhsid_org_roles,omitempty"`
	OrgMemberships []membership `json:"nhsid_org_memberships,omitempty"`
}

type rbacRole struct {
	PersonOrgID     string   `json:"person_orgid"`
	PersonRoleID    string   `json:"person_roleid"`
	OrgCode         string   `json:"org_code"`
	RoleName        string   `json:"role_name"`
	RoleCode        string   `json:"role_code"`
	Activities      []string `json:"activities,omitempty"`
	ActivityCodes   []string `json:"activity_codes,omitempty"`
	Workgroups      []string `json:"workgroups,omitempty"`
	WorkgroupsCodes []string `json:"workgroups_codes,omitempty"`
	AreaOfWork      []string `json:"aow,omitempty"`
	AreaOfWorkCodes []string `json:"aow_codes,omitempty"`
}

type userOrg struct {
	Name string `json:"org_name"`
	Code string `json:"org_code"`
}

type membership struct {
	PersonOrgID string `json:"person_orgid"`
	OrgName     string `json:"org_name"`
	OrgCode     string `json:"org_code"`
}

func (g *grant) personClaims(catalogue *directory.Catalogue, client client) personClaims {
	var c personClaims
	p := g.Person
	for _, scope := range g.Scopes {
		switch scope {
		case ScopeProfile:
			c.Name, c.GivenName, c.FamilyName, c.UID = p.GivenName+" "+p.FamilyName, p.GivenName, p.FamilyName, p.ID
			c.Locale = p.Language
			if t := assurance.Trustmark(client.Trustmark); t == assurance.NHSLogin {
				c.Proofing = t.Proofing(g.reached())
			}
		case ScopeEmail:
			c.Email = p.Email
		case ScopeNHSPerson:
			c.UserUID, c.Title, c.MiddleNames, c.DisplayName = p.ID, p.Title, p.MiddleNames, p.DisplayName
			c.Initials, c.IdentityLevel = initials(p.GivenName+" "+p.MiddleNames), g.reached().Identity.Number()
		case ScopeProfessionalMemberships:
			c.professional(p.Registrations)
		case ScopeNationalRBACAccess:
			for _, r := range p.Roles {
				c.RBACRoles = append(c.RBACRoles, rbac(r, catalogue))
			}
		case ScopeAssociatedOrgs:
			for _, m := range p.Memberships {
				c.UserOrgs = append(c.UserOrgs, userOrg{m.OrganisationName, m.OrganisationCode})
				if slices.ContainsFunc(p.Roles, func(r store.Role) bool { return r.MembershipID == m.ID }) {
					c.OrgRoles = append(c.OrgRoles, membership{m.ID, m.OrganisationName, m.OrganisationCode})
				}
			}
		case ScopeOrganisationalMemberships:
			for _, m := range p.Memberships {
				c.OrgMemberships = append(c.OrgMemberships, membership{m.ID, m.OrganisationName, m.OrganisationCode})
			}
		}
	}
	return c
}

func rbac(r store.Role, catalogue *directory.Catalogue) rbacRole {
	c := rbacRole{
		PersonOrgID: r.MembershipID, PersonRoleID: r.ID, OrgCode: r.OrganisationCode, RoleCode: r.JobRole,
		RoleName: catalogue.JobRoleName(r.JobRole), ActivityCodes: r.Activities, AreaOfWorkCodes: r.AreasOfWork,
	}
	for _, code := range r.Activities {
		c.Activities = append(c.Activities, catalogue.ActivityName(code))
	}
	for _, code := range r.AreasOfWork {
		c.AreaOfWork = append(c.AreaOfWork, catalogue.AreaOfWorkName(code))
	}
	for _, w := range r.Workgroups {
		c.Workgroups, c.WorkgroupsCodes = append(c.Workgroups, w.Name), append(c.WorkgroupsCodes, w.ID)
	}
	return c
}

func (c *personClaims) professional(registrations []store.Registration) {
	for _, r := range registrations {
		switch r.Body {
		case "gmc":
			c.GMC = r.Number
		case "gdc":
			c.GDC = r.Number
		case "gmp":
			c.GMP = r.Number
		case "gdp":
			c.GDP = r.Number
		case "nmc":
			c.NMC = r.Number
		case "rcn":
			c.RCN = r.Number
		case "gphc":
			c.GPhC = r.Number
		case "consultant":
			c.Consultant = r.Number
		}
	}
}

// initials are the first letters of names.
func initials(names string) string {
	var b strings.Builder
	for name := range strings.FieldsSeq(names) {
		for _, letter := range name {
			b.WriteRune(letter)
			break
		}
	}
	return b.String()
}
