package check

// catalog is all checks. A number is never used again for another one.
var catalog = []category{
	{"This cluster", []check{
		{id: "CS101", says: "its API answers", before: true, find: (*look).apiCheck},
		{id: "CS102", says: "you may read what is checked here", needs: []string{"CS101"}, before: true, find: (*look).yourRights},
	}},
	{"CoreDNS", []check{
		{id: "CS201", says: "there is a CoreDNS", needs: []string{"CS101"}, before: true, find: (*look).coreDNS},
		{id: "CS202", says: "its Corefile can be read", needs: []string{"CS201"}, before: true, find: (*look).corefile},
		{id: "CS203", says: "its Corefile has clusterset", needs: []string{"CS202"}, find: (*look).stanzaCheck},
		{id: "CS204", says: "its pods run", needs: []string{"CS201"}, before: true, find: (*look).pods},
		{id: "CS205", says: "its status is served", needs: []string{"CS203"}, find: (*look).statusLine},
		{id: "CS206", says: "every replica has the plugin, and tells its status", needs: []string{"CS205"}, find: (*look).replicaCheck},
		{id: "CS207", says: "all replicas have one version", needs: []string{"CS206"}, find: (*look).versions},
	}},
	{"The ClusterSet", []check{
		{id: "CS301", says: "its ConfigMap is there", needs: []string{"CS203"}, find: (*look).configMap},
		{id: "CS302", says: "its document is good", needs: []string{"CS301"}, find: (*look).document},
		{id: "CS303", says: "its document has no warnings", needs: []string{"CS302"}, find: (*look).warnings},
		{id: "CS304", says: "CoreDNS knows which member this cluster is", needs: []string{"CS302"}, find: (*look).localCheck},
		{id: "CS305", says: "CoreDNS may read it", needs: []string{"CS301"}, find: (*look).mayReadDocument},
		{id: "CS306", says: "all replicas have it in force as it is now", needs: []string{"CS206", "CS302", "CS305"}, find: (*look).inForce},
	}},
	{"Credentials", []check{
		{id: "CS401", says: "the Secrets that it names are there", needs: []string{"CS302"}, find: (*look).secretsThere},
		{id: "CS402", says: "CoreDNS may read them", needs: []string{"CS401"}, find: (*look).mayReadSecrets},
		{id: "CS403", says: "CoreDNS may no more than it needs", needs: []string{"CS203"}, find: (*look).mayNoMore},
		{id: "CS404", says: "each kubeconfig is one that CoreDNS takes", needs: []string{"CS401"}, find: (*look).kubeconfigs},
		{id: "CS405", says: "no credential has ended, or is about to", needs: []string{"CS404"}, find: (*look).ends},
		{id: "CS406", says: "tokens are renewed", needs: []string{"CS401"}, find: (*look).renewal},
		{id: "CS407", says: "each member's API takes the credential", needs: []string{"CS404", "CS405"}, find: (*look).accepted},
		{id: "CS408", says: "each member is the cluster that joined", needs: []string{"CS407"}, find: (*look).sameCluster},
		{id: "CS409", says: "each credential may do what CoreDNS needs", needs: []string{"CS407"}, find: (*look).mayEnough},
		{id: "CS410", says: "no credential may do more", needs: []string{"CS407"}, find: (*look).readerNoMore},
	}},
	{"Members", []check{
		{id: "CS501", says: "each member's service CIDRs are its own", needs: []string{"CS408", "CS409"}, find: (*look).serviceCIDRs},
		{id: "CS502", says: "each member's DNS is where the document says", needs: []string{"CS408", "CS409", "CS501"}, find: (*look).dnsAddress},
		{id: "CS503", says: "each member's DNS answers every replica", needs: []string{"CS306", "CS501", "CS502"}, find: (*look).dnsAnswers},
		{id: "CS504", says: "each member's data are fresh in every replica", needs: []string{"CS306", "CS402", "CS404", "CS405", "CS407", "CS408", "CS409"}, find: (*look).dataFresh},
		{id: "CS505", says: "each member's gateway is alive", needs: []string{"CS306"}, find: (*look).gateways},
		{id: "CS506", says: "each member's names are answered", needs: []string{"CS306", "CS501", "CS502", "CS503", "CS504"}, find: (*look).names},
	}},
	{"In front of it", []check{
		{id: "CS601", says: "CoreDNS doesn't forward to itself", needs: []string{"CS203"}, find: (*look).loops},
		{id: "CS602", says: "NodeLocal DNSCache sends our zones here", needs: []string{"CS203"}, find: (*look).nodeLocal},
		{id: "CS603", says: "the cluster's DNS sends our zones here", needs: []string{"CS203"}, find: (*look).stubZone},
		{id: "CS604", says: "no cache in front pins the weights", needs: []string{"CS203", "CS302"}, find: (*look).cache},
	}},
}
