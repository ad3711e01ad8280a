package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/oauth"
)

type object = map[string]any

// describe is the OpenAPI 3.1 description of the API.
func (h *Handler) describe() ([]byte, error) {
	s := &schemas{definitions: object{}, types: map[string]reflect.Type{}}
	s.of(reflect.TypeFor[Problem]())
	paths := map[string]object{}
	for _, r := range routes() {
		if paths[r.pattern] == nil {
			paths[r.pattern] = object{}
		}
		paths[r.pattern][strings.ToLower(r.method)] = s.operation(r)
	}
	if s.err != nil {
		return nil, s.err
	}
	document, err := json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Credence registration API", "version": "1",
			"description": "What officers of the registration authority do at the desk, for programs. An officer signs in by the code flow, with the scopes of the API, at " +
				"authenticator assurance level 3, or 2 where her organisation allows it; her access token works for an hour after that, and decides as whom she acts.",
		},
		"servers":    []object{{"url": h.Issuer}},
		"paths":      paths,
		"components": object{"schemas": s.definitions, "securitySchemes": object{"officer": security(h.Issuer)}},
	})
	if err != nil {
		return nil, fmt.Errorf("encode OpenAPI description: %w", err)
	}
	return document, nil
}

func security(issuer string) object {
	return object{"type": "oauth2", "flows": object{"authorizationCode": object{
		"authorizationUrl": issuer + "/authorize", "tokenUrl": issuer + "/token",
		"scopes": object{
			oauth.ScopeRegistrationRead:  "See what an officer may see.",
			oauth.ScopeRegistrationWrite: "Do what an officer may do.",
		},
	}}}
}

// placeholder is a part of a pattern that a request fills in.
var placeholder = regexp.MustCompile(`\{([a-z]+)\}`)

func (s *schemas) operation(r route) object {
	acts := make([]string, len(r.acts))
	for i, act := range r.acts {
		acts[i] = string(act)
	}
	whose := "For officers who have the right to one of: " + strings.Join(acts, ", ") + "."
	switch {
	case r.anybody:
		whose = "For whoever has signed in at level 3, and whose identity is proved to level high."
	case r.least > 0:
		whose += " The sign-in has to be at level " + r.least.String() + ", whatever the organisation asks for."
	}
	operation := object{
		"operationId": r.name, "summary": r.summary, "description": whose,
		"security": []object{{"officer": []string{r.scope}}},
		"responses": object{
			strconv.Itoa(r.status): object{"description": http.StatusText(r.status), "content": s.content(r.out, imageTypes()[:1])},
			"default":              object{"description": "Why not: RFC 9457.", "content": object{"application/problem+json": object{"schema": s.of(reflect.TypeFor[Problem]())}}},
		},
	}
	var parameters []object
	for _, name := range placeholder.FindAllStringSubmatch(r.pattern, -1) {
		parameters = append(parameters, object{"name": name[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	if r.conditional {
		parameters = append(parameters, object{
			"name": "If-Match", "in": "header", "required": !r.first, "schema": object{"type": "string"},
			"description": "The ETag of what it changes, as you have read it. When that has changed since, the answer is 412, and says how.",
		})
	}
	switch {
	case r.method == http.MethodGet:
		for _, f := range members(r.in) {
			parameters = append(parameters, object{"name": f.name, "in": "query", "required": f.required, "schema": s.member(f)})
		}
	case r.in.NumField() > 0:
		operation["requestBody"] = object{"required": true, "content": s.content(r.in, imageTypes())}
	}
	if parameters != nil {
		operation["parameters"] = parameters
	}
	return operation
}

// content is what is sent or answered: JSON, or a picture of one of some types.
func (s *schemas) content(t reflect.Type, pictures []string) object {
	if t != reflect.TypeFor[image]() {
		return object{"application/json": object{"schema": s.of(t)}}
	}
	content := object{}
	for _, kind := range pictures {
		content[kind] = object{} // OpenAPI 3.1, Section 4.8.14.3: bytes as they are have no schema
	}
	return content
}

// schemas are the JSON schemas of Go types, as encoding/json writes them.
type schemas struct {
	definitions object // of structs, by name
	types       map[string]reflect.Type
	err         error // two types have one name
}

// of is the schema of a type. That of a struct with a name is kept, and referred to.
func (s *schemas) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[uuid.UUID]():
		return object{"type": "string", "format": "uuid"}
	case reflect.TypeFor[json.RawMessage](): // as another standard has it, which the member's words name
		return object{"type": "object"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Struct:
		return s.structure(t)
	default:
		return object{"type": "string"}
	}
}

func (s *schemas) structure(t reflect.Type) object {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	if generic, of, is := strings.Cut(name, "["); is { // page[github.com/.../api.found]
		name = generic + "Of" + strings.ToUpper(of[strings.LastIndex(of, ".")+1:][:1]) + strings.TrimSuffix(of[strings.LastIndex(of, ".")+2:], "]")
	}
	reference := object{"$ref": "#/components/schemas/" + name}
	if known := s.types[name]; known != nil {
		if known != t {
			s.err = fmt.Errorf("describe the API: both %s and %s are called %s", known, t, name)
		}
		return reference
	}
	s.types[name] = t
	properties, required := object{}, []string{}
	for _, f := range members(t) {
		properties[f.name] = s.member(f)
		if f.required {
			required = append(required, f.name)
		}
	}
	s.definitions[name] = object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	return reference
}

// member is the schema of a member, with what its tags say of it.
func (s *schemas) member(f member) object {
	schema := s.of(f.Type)
	for tag, keyword := range map[string]string{"doc": "description", "format": "format"} {
		if value := f.Tag.Get(tag); value != "" {
			schema[keyword] = value
		}
	}
	if values := strings.Fields(f.Tag.Get("enum")); len(values) > 0 {
		schema["enum"] = values
	}
	return schema
}

// member is a field as JSON has it.
type member struct {
	reflect.StructField

	name     string
	required bool
}

func members(t reflect.Type) (list []member) {
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" {
			list = append(list, member{f, name, !slices.Contains([]string{"omitempty", "omitzero"}, options)})
		}
	}
	return list
}
