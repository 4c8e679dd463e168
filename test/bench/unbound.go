package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// unbound is a resolver that isn't CoreDNS, of Debian's package of that name.
const unbound = "unbound"

// unboundConfig is Unbound in front of the member as "Unbound optimisation" of its own pages
// has it: a thread for each processor, each with a socket of its own, slabs for as many, and
// room for all answers. It doesn't validate, as no contender does.
var unboundConfig = fmt.Sprintf(`server:
    interface: %[2]s@%[3]s
    do-ip6: no
    directory: "."
    chroot: ""
    username: ""
    pidfile: ""
    logfile: "unbound.log"
    do-daemonize: no
    do-not-query-localhost: no
    module-config: "iterator"
    num-threads: %[1]d
    so-reuseport: yes
    msg-cache-size: 64m
    rrset-cache-size: 128m
    msg-cache-slabs: %[4]d
    rrset-cache-slabs: %[4]d
    infra-cache-slabs: %[4]d
    key-cache-slabs: %[4]d
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: %[5]s@%[3]s
`, runtime.NumCPU(), bindAddress, port, slabs(runtime.NumCPU()), memberAddress)

// slabs is the power of two that is no less than the number of threads.
func slabs(threads int) int {
	n := 1
	for n < threads {
		n *= 2
	}
	return n
}

// startUnbound starts it at the address.
func startUnbound(dir, address, name string) (*server, error) {
	const file = "unbound.conf"
	if err := write(dir, file, strings.ReplaceAll(unboundConfig, bindAddress, address)); err != nil {
		return nil, err
	}
	server, err := startProcess(exec.Command(unbound, "-d", "-c", file), dir, address, name)
	if err != nil { // what it said goes with the folder
		said, _ := os.ReadFile(filepath.Join(dir, "unbound.log")) // none, where it ended before
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	return server, nil
}
