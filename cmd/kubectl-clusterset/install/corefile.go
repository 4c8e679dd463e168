package install

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// DefaultStatus is where status serves when the Corefile gives no address.
const DefaultStatus = "127.0.0.1:9154"

// The ConfigMap of a clusterset that names none.
const (
	defaultNamespace = "kube-system"
	defaultConfigMap = "clusterset"
)

// Block is a server block of a Corefile.
type Block struct {
	// Keys are what it serves: ".:53".
	Keys []string
	// Plugins are the names of its plugins, sorted.
	Plugins []string
	// Stanza is its clusterset, nil where it has none.
	Stanza *Stanza

	tokens map[string][]caddyfile.Token
}

// Stanza is a clusterset in a Corefile.
type Stanza struct {
	// Keys are its server block's.
	Keys []string
	// Zones are those it answers; none are those of Keys.
	Zones []string
	// Namespace and ConfigMap are where its ClusterSet is; "" where it is in a file.
	Namespace, ConfigMap string
	// File is the path of that.
	File string
	// Local is the member that it says this cluster is.
	Local string
	// Status is HOST:PORT of its status server, "" where it has none.
	Status string
	// Options are the words after each option, in the order of the Corefile.
	Options map[string][]string
}

// ParseCorefile returns the server blocks of a Corefile, as CoreDNS's own parser reads it.
// The text is somebody else's: it reads no file of this machine, and none of its
// environment. What isn't read are imports of files, returned as they are written.
func ParseCorefile(text string) (blocks []Block, imports []string, err error) {
	text, imports, err = withoutImports(environment.ReplaceAllString(text, "$$$1$2"))
	if err != nil {
		return nil, imports, err
	}
	parsed, err := caddyfile.Parse("Corefile", strings.NewReader(text), nil)
	if err != nil {
		return nil, imports, err
	}
	for _, b := range parsed {
		block := Block{Keys: b.Keys, tokens: b.Tokens}
		for name := range b.Tokens {
			block.Plugins = append(block.Plugins, name)
		}
		slices.Sort(block.Plugins)
		if tokens, has := b.Tokens["clusterset"]; has {
			if block.Stanza, err = parseStanza(b.Keys, tokens); err != nil {
				return nil, imports, err
			}
		}
		blocks = append(blocks, block)
	}
	return blocks, imports, nil
}

var (
	// environment is how a Corefile has a variable; what is left of it is $NAME.
	environment = regexp.MustCompile(`\{\$(\w+)\}|\{%(\w+)%\}`)
	importLine  = regexp.MustCompile(`(?m)^[ \t]*import[ \t]+(\S+).*$`)
	// snippet is the definition of one. A name that could be a path isn't taken for one: the
	// parser reads a file of that name where the definition comes later.
	snippet = regexp.MustCompile(`(?m)^[ \t]*\(([\w-]+)\)[ \t]*\{`)
)

// withoutImports leaves out imports of files. Those of the Corefile's own snippets stay.
func withoutImports(text string) (rest string, imports []string, err error) {
	var snippets []string
	for _, m := range snippet.FindAllStringSubmatch(text, -1) {
		snippets = append(snippets, m[1])
	}
	rest = importLine.ReplaceAllStringFunc(text, func(line string) string {
		if slices.Contains(snippets, importLine.FindStringSubmatch(line)[1]) {
			return line
		}
		imports = append(imports, strings.TrimSpace(line))
		return ""
	})
	// What is left that the parser could take for one, however it is written.
	tokens := caddyfile.NewDispenser("Corefile", strings.NewReader(rest))
	for tokens.Next() {
		if tokens.Val() == "import" && (!tokens.Next() || !slices.Contains(snippets, tokens.Val())) {
			return "", imports, tokens.Err("import: an import of a file stands on a line of its own")
		}
	}
	return rest, imports, nil
}

// Words returns the words of a plugin's lines in the block, a line each; nil where the block
// hasn't the plugin.
func (b *Block) Words(plugin string) (lines [][]string) {
	last := -1
	for _, token := range b.tokens[plugin] {
		if token.Line != last {
			lines = append(lines, nil)
		}
		last = token.Line
		lines[len(lines)-1] = append(lines[len(lines)-1], token.Text)
	}
	return lines
}

func parseStanza(keys []string, tokens []caddyfile.Token) (*Stanza, error) {
	s := &Stanza{Keys: keys, Namespace: defaultNamespace, ConfigMap: defaultConfigMap, Options: map[string][]string{}}
	d := caddyfile.NewDispenserTokens("Corefile", tokens)
	for d.Next() {
		s.Zones = append(s.Zones, d.RemainingArgs()...)
		for d.NextBlock() {
			option := d.Val()
			s.Options[option] = d.RemainingArgs()
			if err := s.set(option, s.Options[option]); err != nil {
				return nil, fmt.Errorf("line %d of the Corefile: %w", d.Line(), err)
			}
		}
	}
	return s, nil
}

// set takes the options that say where things are. A server tells itself what is wrong with
// the others.
func (s *Stanza) set(option string, args []string) error {
	first := ""
	if len(args) > 0 {
		first = args[0]
	}
	switch option {
	case "configmap":
		s.File = ""
		if namespace, name, found := strings.Cut(first, "/"); found {
			s.Namespace, s.ConfigMap = namespace, name
		} else if first != "" {
			s.ConfigMap = first
		}
	case "file":
		s.Namespace, s.ConfigMap, s.File = "", "", first
	case "local":
		s.Local = first
	case "status":
		s.Status = DefaultStatus
		if first == "" {
			return nil
		}
		if _, _, err := net.SplitHostPort(first); err != nil {
			return fmt.Errorf("status %q: not HOST:PORT", first)
		}
		s.Status = first
	}
	return nil
}
