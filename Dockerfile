# One static program in an empty image, with the authorities of the web for calls that it makes. No shell, no package,
# no root. See compose.yaml for how it is run.

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
# go.mod replaces modules by these directories.
COPY idp/oauth/oryx idp/oauth/oryx
COPY idp/oauth/govalidator idp/oauth/govalidator
RUN go mod download
COPY . .
# What `credence version` says, because the repository stays outside: --build-arg VERSION=$(git describe --tags --always --dirty)
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -tags=nopgxregisterdefaulttypes -ldflags="-s -w -X main.stamped=$VERSION" -o /credence ./cmd/credence

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /credence /credence
USER 65532:65532
ENTRYPOINT ["/credence"]
CMD ["serve"]
