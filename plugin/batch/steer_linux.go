package batch

import (
	"crypto/rand"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxGroup is the most sockets of an address among which ours is looked for.
	maxGroup = 64

	// probesSent is how many packets must all come to our socket. Where the program names no
	// socket, the kernel draws one for each packet.
	probesSent = 16

	// probeWait is how long they may take. They go over the loopback device.
	probeWait = 50 * time.Millisecond

	// steerEvery is how often it's looked whether packets still come. Places change when
	// others' sockets at the address end: those of a CoreDNS that this one replaces, too.
	steerEvery = 10 * time.Second
)

// steering has the kernel bring all packets for an address to one of its sockets. While it
// doesn't, they are shared out, and those that come to CoreDNS's are read as ever.
type steering struct {
	probes  probes
	own     int           // how many sockets CoreDNS has there
	place   atomic.Int32  // of ours, in the group of the address's sockets
	steered atomic.Bool   // all packets come
	again   chan struct{} // look now
	end     chan struct{}
	ended   chan struct{}
}

func newSteering(own int) *steering {
	st := &steering{own: own, again: make(chan struct{}, 1), end: make(chan struct{}), ended: make(chan struct{})}
	st.probes.init()
	return st
}

// look has it looked now whether packets come.
func (st *steering) look() {
	select {
	case st.again <- struct{}{}:
	default: // it will be
	}
}

// probes are packets of ours that show whether packets come to our socket.
type probes struct {
	token [8]byte // too short for a DNS message
	seen  atomic.Int32
	all   chan struct{}
}

func (p *probes) init() {
	_, _ = rand.Read(p.token[:]) // never fails
	p.all = make(chan struct{}, 1)
}

// see counts packet if it's a probe.
func (p *probes) see(packet []byte) {
	if string(packet) == string(p.token[:]) && p.seen.Add(1) == probesSent {
		select {
		case p.all <- struct{}{}:
		default:
		}
	}
}

// steer steers until end is closed.
func (s *socket) steer() {
	st := s.steering
	defer close(st.ended)
	for first := true; ; first = false {
		was := st.steered.Load()
		is := !first && s.probe()
		if !is {
			st.steered.Store(false)
			is = s.search()
		}
		st.steered.Store(is)
		switch {
		case is && !was:
			log.Infof("%s: packets are read and sent up to %d at a time", s.name, maxBatch)
		case !is && (was || first):
			log.Warningf("%s: not all of its packets can be steered to one socket; the others are read one at a time", s.name)
		}
		select {
		case <-st.end:
			return
		case <-st.again:
		case <-time.After(steerEvery):
		}
	}
}

// search reports whether it has found a program that brings packets to s. What a program names is
// a place in the group of the address's sockets, which nobody tells; so it's tried, beginning with
// what's likely: behind CoreDNS's own.
func (s *socket) search() bool {
	places := []int{s.steering.own}
	for i := range maxGroup {
		places = append(places, i)
	}
	for _, place := range places {
		if s.attach(place) != nil {
			return false
		}
		s.steering.place.Store(int32(place))
		if s.probe() {
			return true
		}
		select {
		case <-s.steering.end:
			return false
		default:
		}
	}
	return false
}

// steerAway has the kernel bring no more packets to s, and ends the steering.
func (s *socket) steerAway() error {
	close(s.steering.end)
	<-s.steering.ended
	if s.steering.place.Load() == 0 {
		return s.attach(1)
	}
	return s.attach(0)
}

// attach has the group's program return place. Where there's no such place, the kernel chooses
// as it does without a program.
func (s *socket) attach(place int) error {
	program := unix.SockFprog{Len: 1, Filter: &unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(place)}}
	var failed error
	err := s.raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &program)
	})
	return errors.Join(err, failed)
}

// probe reports whether packets for the socket's address come to it.
func (s *socket) probe() bool {
	p := &s.steering.probes
	select {
	case <-p.all: // of those before, late
	default:
	}
	p.seen.Store(0)
	for range probesSent { // each from a port of its own, which the kernel's choice depends on
		conn, err := net.Dial("udp", s.probeAddress())
		if err != nil {
			return false
		}
		_, err = conn.Write(p.token[:])
		conn.Close()
		if err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			return false
		}
	}
	select {
	case <-p.all:
		return true
	case <-time.After(probeWait):
		return false
	}
}

func (s *socket) probeAddress() string {
	if !s.local.IP.IsUnspecified() {
		return s.local.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.local.Port))
}
