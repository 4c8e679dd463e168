package harness

import "github.com/miekg/dns"

// Ask asks the server at addr, HOST:PORT, with EDNS.
func Ask(client dns.Client, addr, name string, qtype uint16) (*dns.Msg, error) {
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, qtype).SetEdns0(1232, false), addr)
	return reply, err
}
