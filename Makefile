# make run     builds Credence and starts it with its ward list and simulated people
# make test    checks everything
# make figures measures how it starts, what it takes and how fast it is; docs/performance.md explains them
#
# They need Go and make. What else they need they install when they run as root;
# otherwise they say what to type.

LINT_VERSION := v2.15.0
LINT := .tools/bin/golangci-lint-$(LINT_VERSION)

# Git tells root nothing about a checkout that is somebody else's, and the build
# would fail for want of a version stamp.
export GOFLAGS += -buildvcs=false

# pgx knows the PostgreSQL type of each parameter from the server, so that its
# list of types by Go type, a megabyte of the program, is left out.
export GOFLAGS += -tags=nopgxregisterdefaulttypes

.PHONY: run test figures machine
.NOTPARALLEL:

run:
	@.ci/install $(if $(value CREDENCE_DATABASE_URL),,database)
	CGO_ENABLED=0 go build -o bin/credence ./cmd/credence
	@exec bin/credence dev

test: machine $(LINT)
	$(LINT) fmt --diff
	go vet ./...
	$(LINT) run
	go mod tidy -diff
	go build ./...
	CGO_ENABLED=1 go test -vet=off -race -shuffle=on -timeout 20m ./...
	.ci/fuzz

figures:
	@.ci/install database
	CGO_ENABLED=0 go build -o bin/credence ./cmd/credence
	install bin/credence bin/installed
	bin/installed bench --alone --people 20000
	@rm bin/installed

machine:
	@.ci/install database compiler browser client

$(LINT):
	GOBIN=$(CURDIR)/$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(@D)/golangci-lint $@
