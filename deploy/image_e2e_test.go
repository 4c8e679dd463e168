//go:build e2e

package deploy

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// architectures are those of the image, as ELF has them.
var architectures = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// The image, built on nothing, for each architecture: its settings, its one capability,
// its programs, which need nothing else; and this machine's, started as a container would
// be, answers.
func TestImage(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: setcap, mount and chroot do")
	}
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("needs buildah, from Debian's package of that name")
	}
	s := newStorage(t)
	archive := filepath.Join(t.TempDir(), "image.tar")
	build := exec.Command("image/build")
	build.Env = append(os.Environ(), "BASE=scratch", "OUT="+archive, "MAKEFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("image/build: %v\n%s", err, out)
	}
	for arch, machine := range architectures {
		t.Run(arch, func(t *testing.T) {
			container := s.buildah(t, "from", "--arch", arch, "oci-archive:"+archive)
			s.wantSettings(t, container, arch)
			root := s.buildah(t, "mount", container)
			wantFiles(t, root, "/coredns", "/etc/ssl/certs/ca-certificates.crt", "/kubectl-clusterset")
			wantStatic(t, filepath.Join(root, "coredns"), machine)
			wantStatic(t, filepath.Join(root, "kubectl-clusterset"), machine)
			wantCapability(t, filepath.Join(root, "coredns"))
			if bundle := read(t, root, "etc", "ssl", "certs", "ca-certificates.crt"); !strings.Contains(bundle, "BEGIN CERTIFICATE") {
				t.Error("no CA certificates in it")
			}
			if arch == runtime.GOARCH {
				runIn(t, root)
				runCommandIn(t, root)
			}
		})
	}
}

// wantFiles: these are in the image, and nothing else is.
func wantFiles(t *testing.T, root string, want ...string) {
	t.Helper()
	var have []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			have = append(have, strings.TrimPrefix(path, root))
		}
		return err
	})
	if err != nil || !slices.Equal(have, want) {
		t.Errorf("files: %q (%v); want %q", have, err, want)
	}
}

// wantStatic: the program is for the machine, and is linked with nothing.
func wantStatic(t *testing.T, path string, machine elf.Machine) {
	t.Helper()
	program, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }() // it was read
	if program.Machine != machine {
		t.Errorf("%s is for %v, want %v", path, program.Machine, machine)
	}
	if libraries, err := program.ImportedLibraries(); err == nil && len(libraries) > 0 || program.Section(".interp") != nil {
		t.Errorf("%s isn't static: it needs %q", path, libraries)
	}
}

// storage is one of the test's own: the machine's is left alone.
type storage struct{ dir string }

func newStorage(t *testing.T) storage {
	s := storage{t.TempDir()}
	t.Cleanup(func() { s.buildah(t, "rm", "--all") }) // unmounts, for TempDir to be removed
	return s
}

// buildah gives what buildah prints, less the line's end.
func (s storage) buildah(t *testing.T, args ...string) string {
	t.Helper()
	args = append([]string{"--storage-driver", "vfs", "--root", s.dir + "/storage", "--runroot", s.dir + "/run"}, args...)
	var stderr bytes.Buffer
	command := exec.Command("buildah", args...)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("buildah %v: %v\n%s", args, err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

func (s storage) wantSettings(t *testing.T, container, arch string) {
	t.Helper()
	var have struct {
		OCIv1 struct {
			Architecture string
			Config       struct {
				User         string
				Entrypoint   []string
				WorkingDir   string
				ExposedPorts map[string]any
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(s.buildah(t, "inspect", container)), &have); err != nil {
		t.Fatal(err)
	}
	if have.OCIv1.Architecture != arch {
		t.Errorf("architecture: %q, want %q", have.OCIv1.Architecture, arch)
	}
	config := have.OCIv1.Config
	if config.User != "65532:65532" {
		t.Errorf("user: %q; want 65532:65532", config.User)
	}
	if !slices.Equal(config.Entrypoint, []string{"/coredns"}) {
		t.Errorf("entrypoint: %q; want /coredns", config.Entrypoint)
	}
	if config.WorkingDir != "/" {
		t.Errorf("working directory: %q; want /", config.WorkingDir)
	}
	for _, port := range []string{"53/tcp", "53/udp"} {
		// buildah writes a port without a protocol as it stands: "53" is "53/tcp".
		_, exposed := config.ExposedPorts[port]
		if _, short := config.ExposedPorts[strings.TrimSuffix(port, "/tcp")]; !exposed && !short {
			t.Errorf("exposed ports: %v; want %s", config.ExposedPorts, port)
		}
	}
	if len(config.ExposedPorts) != 2 {
		t.Errorf("exposed ports: %v; want 53, TCP and UDP", config.ExposedPorts)
	}
}

// wantCapability: NET_BIND_SERVICE, and it alone.
func wantCapability(t *testing.T, binary string) {
	t.Helper()
	out, err := exec.Command("getcap", binary).CombinedOutput()
	if want := "cap_net_bind_service=ep"; err != nil || strings.TrimSpace(strings.TrimPrefix(string(out), binary)) != want {
		t.Errorf("getcap: %q, %v; want %s", out, err, want)
	}
}

// corefile's port is above 1024, and its address nobody else's.
const (
	imageAddress  = "127.53.0.2"
	imageCorefile = `.:10053 {
    bind ` + imageAddress + `
    hosts {
        192.0.2.1 www.example
    }
}
`
)

// runIn starts the image's program with the image as its root and as its user,
// with a Corefile from stdin, for the image is read-only; and asks it.
func runIn(t *testing.T, root string) {
	t.Helper()
	command := exec.Command("/coredns", "-conf", "stdin")
	command.Dir = "/"
	command.Env = []string{}
	command.Stdin = strings.NewReader(imageCorefile)
	command.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     root,
		Credential: &syscall.Credential{Uid: 65532, Gid: 65532},
	}
	program := startCoreDNS(t, command)
	status := read(t, fmt.Sprintf("/proc/%d/status", program.PID()))
	if !strings.Contains(status, "Uid:\t65532\t65532\t65532\t65532\n") {
		t.Errorf("want user 65532, have %s", status)
	}
	for _, network := range []string{"udp", "tcp"} {
		reply, err := harness.Ask(dns.Client{Net: network, Timeout: 5 * time.Second}, imageAddress+":10053", "www.example.", dns.TypeA)
		if err != nil || len(reply.Answer) != 1 {
			t.Errorf("over %s: %v\n%v", network, err, reply)
		}
	}
}

// runCommandIn starts the image's other program as a container would.
func runCommandIn(t *testing.T, root string) {
	t.Helper()
	command := exec.Command("/kubectl-clusterset", "--help")
	command.Dir = "/"
	command.Env = []string{}
	command.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "clusterset") {
		t.Errorf("kubectl-clusterset --help: %v\n%s", err, out)
	}
}
