package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/metadata"
)

// checkMetadata refuses to fetch metadata over a network in clear. What is no URL is a file.
func checkMetadata(location string) error {
	u, err := url.Parse(location)
	switch {
	case !strings.Contains(location, "://"):
		return nil
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return errors.New("want an https URL, such as https://mds3.fidoalliance.org/, or the path of a file")
	}
	return nil
}

func checkCertification(name string) error {
	if metadata.ParseCertification(name) == 0 {
		return errors.New("want one of " + strings.Join(metadata.Certifications(), ", "))
	}
	return nil
}

// mostOriginDomains is how many domains of related origins browsers take: WebAuthn Level 3, Section 5.11.1.
const mostOriginDomains = 5

func checkOrigins(list string) error {
	origins := relatedOrigins(list)
	for i, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "https" || origin != strings.ToLower("https://"+u.Host) || u.Hostname() == "" || u.Port() == "443" || slices.Contains(origins[:i], origin) {
			return fmt.Errorf("%q is no other origin: want https:// and a host in small letters, without a slash at the end and each once, such as https://id.example.net", origin)
		}
	}
	if len(origins) > mostOriginDomains {
		return fmt.Errorf("want at most %d, or browsers leave out the last ones", mostOriginDomains)
	}
	return nil
}

func relatedOrigins(list string) []string {
	var origins []string
	for origin := range strings.SplitSeq(list, ",") {
		if origin = strings.TrimSpace(origin); origin != "" {
			origins = append(origins, origin)
		}
	}
	return origins
}

// source is where FIDO metadata comes from, by the configuration.
func (c config) source() (webauthn.Source, error) {
	s := webauthn.Source{Minimum: metadata.ParseCertification(c.FIDOCertification)}
	if c.FIDOMetadataRootFile != "" {
		roots, _, err := readSmallFile(c.FIDOMetadataRootFile)
		if err != nil {
			return s, fmt.Errorf("CREDENCE_FIDO_METADATA_ROOT_FILE: %w", err)
		}
		trust, err := metadata.Own(roots)
		if err != nil {
			return s, fmt.Errorf("CREDENCE_FIDO_METADATA_ROOT_FILE: %s: %w", c.FIDOMetadataRootFile, err)
		}
		s.Trust = &trust
	}
	switch {
	case c.FIDOMetadata == "":
	case strings.Contains(c.FIDOMetadata, "://"):
		s.Every = 24 * time.Hour
		s.Fetch = func(ctx context.Context) ([]byte, error) { return download(ctx, metadataClient(), c.FIDOMetadata) }
	default:
		s.Fetch = func(context.Context) ([]byte, error) { return readFile(c.FIDOMetadata, metadata.MaxSize) }
	}
	return s, nil
}

// metadataClient fetches metadata within a minute, and follows no redirect to plain text.
func metadataClient() *http.Client {
	return &http.Client{Timeout: time.Minute, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != "https" || len(via) > 3 {
			return fmt.Errorf("it leads to %s", r.URL.Redacted())
		}
		return nil
	}}
}

// download reads no more than shows that a blob is too long.
func download(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read, or is not wanted
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, metadata.MaxSize+1))
}
