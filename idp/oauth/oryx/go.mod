// Module x stands in for the module of this name, of which fosite uses two small packages and which brings some hundred
// others: exporters, agents and drivers that a provider of identity should not carry. See the replace line of the
// program's go.mod.
module github.com/ory/x

go 1.26.0

require (
	github.com/pkg/errors v0.9.1
	go.opentelemetry.io/otel v1.44.0
	go.opentelemetry.io/otel/trace v1.44.0
)

require github.com/cespare/xxhash/v2 v2.3.0 // indirect
