//go:build e2e && linux

package netns

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
)

// podinfoPort is where the service podinfo.default is served.
const podinfoPort = "9898"

// What this executable does when its first argument is one of these.
const (
	roleServe = "serve" // ADDRESS TEXT: an HTTP server with one page
	roleGet   = "get"   // URL: print the page
	roleClean = "clean" // NAMESPACE...: see removeAtEnd
)

// act plays a role; played is false when there is none to play.
func act(args []string) (played bool, err error) {
	if len(args) == 0 {
		return false, nil
	}
	switch args[0] {
	case roleServe:
		return true, serve(args[1], args[2])
	case roleGet:
		return true, get(args[1])
	case roleClean:
		return true, clean(args[1:])
	}
	return false, nil
}

// servePodinfo starts podinfo in the cluster and waits until it listens.
func (c *cluster) servePodinfo(t testing.TB) {
	t.Helper()
	address := net.JoinHostPort(c.podinfoAddress(), podinfoPort)
	command := inRole(c.ns.command(executable(t), roleServe, address, c.podinfoText()))
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(command) })
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatalf("%s: podinfo doesn't start: %v", c.name, err)
	}
}

func (c *cluster) podinfoText() string { return "podinfo of " + c.name }

func serve(address, text string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text) // the client may have gone
	}))
}

func get(url string) error {
	client := http.Client{Transport: &http.Transport{}} // no proxy: none is reached from here
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// inRole spares a program that is this test the second that the race detector
// otherwise waits at its end.
func inRole(command *exec.Cmd) *exec.Cmd {
	command.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	return command
}

// executable is this test, to be run in a role.
func executable(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
