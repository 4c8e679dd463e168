# clusterset's commands; `make help` lists them.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
KUBE    := v1.36.3
LINT    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

KUBE_LDFLAGS := -s -w \
  -X k8s.io/component-base/version.gitVersion=$(KUBE) \
  -X k8s.io/component-base/version.gitMajor=1 \
  -X k8s.io/component-base/version.gitMinor=36

# go vet is make lint's: to vet a package when it is tested, all that it imports would be vetted
# first. At its end each program with the race detector would sleep for a second.
TEST := go test -vet off
RACE := GORACE=atexit_sleep_ms=0 $(TEST) -race

# Tests that take long with the race detector, and are shortened or skipped there.
RACELESS := ^Test(TooLarge|OversetProperties|Flood|YAMLBounds|YAMLSums|YAMLLarge)$$

# Many unit tests wait more than they compute: twice as many packages' as there are processors
# are run at a time, and eight tests of each that may run beside others.
BESIDE = -p $$((2 * $$(getconf _NPROCESSORS_ONLN))) -parallel 8

# How many inputs each fuzz test tries, some seconds' worth. A time would sometimes
# end them with "context deadline exceeded" (golang/go#75804).
FUZZTIME ?= 30000x
FUZZ     := $(TEST) -run '^$$' -fuzztime $(FUZZTIME) -fuzz

# The chart's tests are a module of their own, and read the chart outside of it, where
# go doesn't see that it changed. With the race detector, they share most of what make test
# compiled before.
HELM_TEST := GORACE=atexit_sleep_ms=0 go test -C test/helm -vet off -race -count 1

# How many seeds make oracle tries, and the first of them; by default none that was
# tried before.
SEEDS ?= 200
SEED  ?=

# End-to-end tests that mostly wait, for an API's or a watch's end: two folders of them at a
# time. The others have the machine for themselves, but for the demo's, which is make test's.
WAITING := ./test/member ./test/configmap ./test/data

GO      := CGO_ENABLED=0 go
LDFLAGS := -s -w -X main.version=$(VERSION)

.DEFAULT_GOAL := all
# Where the programs are built.
BIN     := bin

.PHONY: all help demo test e2e bench oracle fuzz lint image clean demo-kube $(BIN)/coredns $(BIN)/kubectl-clusterset bin/kube

all: bin/coredns bin/kubectl-clusterset ## build both programs

$(BIN)/coredns:
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/coredns

$(BIN)/kubectl-clusterset:
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/kubectl-clusterset

demo: bin/coredns ## three clusters and a clusterset server on loopback: look-ups, a member added, another killed
	go run ./test/demo

demo-kube: bin/coredns bin/kubectl-clusterset bin/kube ## three Kubernetes clusters: join, status, lookup, leave, as README.md shows; then a shell
	go run -tags e2e ./test/demokube

test: ## unit tests, with the race detector
	$(RACE) $(BESIDE) ./cmd/... ./plugin/... ./corefile/... ./deploy/... ./test/...
	$(HELM_TEST) ./...

e2e: bin/coredns bin/kubectl-clusterset bin/kube ## end to end: real API servers, three networks (needs root), the image
	OVERSET_ROUNDS=2000 $(GO) test -vet off -trimpath -count 1 -run '$(RACELESS)' ./plugin/clusterset $(addprefix ./plugin/clusterset/,answercache document member)
	$(RACE) -tags e2e -count 1 -timeout 30m -p 2 $(WAITING)
	$(RACE) -tags e2e -count 1 -timeout 30m -p 1 $$(go list -tags e2e ./test/... ./deploy/... | grep -v $(WAITING:./%=-e /%$$) -e /test/demo$$)
	$(HELM_TEST) -tags e2e ./...

bench: bin/coredns bin/kube ## cost per query, memory and delay, beside CoreDNS's own plugins (needs dnsperf)
	go run ./test/bench

oracle: bin/coredns bin/kube ## every answer beside kubernetes', after random changes of SEEDS=200 seeds, from SEED=N on
	ORACLE_SEEDS=$(SEEDS) ORACLE_SEED=$(SEED) $(TEST) -tags e2e -count 1 -timeout 2h -v -run '^Test(Import)?Seeds$$' ./test/oracle

fuzz: ## fuzz what strangers write: names, queries, documents, kubeconfigs, lists, replies; some seconds each
	$(FUZZ) '^FuzzParse$$' ./plugin/clusterset/query
	$(FUZZ) '^FuzzParse$$' ./plugin/clusterset/document
	$(FUZZ) '^FuzzParse$$' ./plugin/clusterset/exchange/wire
	$(FUZZ) '^FuzzQuoted$$' ./plugin/clusterset/quoted
	$(FUZZ) '^FuzzKubeconfig$$' ./plugin/clusterset/member/credentials
	$(FUZZ) '^FuzzDecode$$' ./plugin/clusterset/member/decode
	$(FUZZ) '^FuzzJSON$$' ./plugin/clusterset/member/decode
	$(FUZZ) '^FuzzReply$$' ./plugin/clusterset/exchange/wire
	$(FUZZ) '^FuzzReply$$' ./plugin/clusterset
	$(FUZZ) '^FuzzQuery$$' ./plugin/clusterset

lint: ## vet, format, import rules, a tidy go.mod
	go mod tidy -diff
	go -C test/helm mod tidy -diff
	go run $(LINT) run ./...
	go run -C test/helm $(LINT) run ./...

image: ## the container image for amd64 and arm64, as an OCI archive in bin/ (needs buildah)
	deploy/image/build

bin/kube: ## etcd, kube-apiserver and kube-controller-manager for the tests, about 5 minutes
	$(GO) build -C test/kube -trimpath -ldflags '$(KUBE_LDFLAGS)' -o ../../$@ .

clean: ## remove what was built
	rm -rf bin

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9\/-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
