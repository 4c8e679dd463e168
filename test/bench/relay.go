package main

import (
	"net"
	"sync/atomic"
	"time"
)

// startRelay starts an upstream that hands queries to the member, and some of its
// replies back late. Closing it ends it.
func startRelay() (net.PacketConn, error) {
	front, err := net.ListenPacket("udp", net.JoinHostPort(lateAddress, port))
	if err != nil {
		return nil, err
	}
	var replies atomic.Int64
	go func() {
		buf := make([]byte, 4096)
		for {
			n, client, err := front.ReadFrom(buf)
			if err != nil {
				return
			}
			query := append([]byte(nil), buf[:n]...)
			go func() {
				reply, err := askMember(query)
				if err != nil {
					return // the query was lost
				}
				if replies.Add(1)%lateEvery == 0 {
					time.Sleep(lateBy)
				}
				_, _ = front.WriteTo(reply, client) // ended
			}()
		}
	}()
	return front, nil
}

// askMember hands a query on, as it is.
func askMember(query []byte) ([]byte, error) {
	conn, err := net.Dial("udp", net.JoinHostPort(memberAddress, port))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // of an open connection
	reply := make([]byte, 4096)
	n, err := conn.Read(reply)
	return reply[:n], err
}
