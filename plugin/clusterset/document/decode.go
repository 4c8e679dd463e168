package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	strictjson "sigs.k8s.io/json"
)

// decode reads one document, strictly: a second document, a key given twice, an
// unknown field and a wrong type are errors, all of them told at once as far as
// there is a document to read on in. The document is nil when there is none.
func decode(text string, left *budget) (*document, []error) {
	if err := left.spend(text); err != nil {
		return nil, []error{err}
	}
	if strings.TrimSpace(text) == "" {
		return nil, []error{errors.New("empty; a document starts with apiVersion: " + apiVersion)}
	}
	root, err := readYAML(text)
	if err != nil {
		return nil, []error{err}
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, []error{errors.New("not a mapping; a document starts with apiVersion: " + apiVersion)}
	}
	asJSON, errs := toJSON(root, len(text), left)
	if len(errs) > 0 {
		return nil, errs
	}
	return decodeJSON(asJSON)
}

// decodeJSON decodes members and policies one by one, so that a wrong type in
// one doesn't hide what is wrong with the others.
func decodeJSON(data []byte) (*document, []error) {
	var outer struct {
		APIVersion json.RawMessage `json:"apiVersion"`
		Kind       json.RawMessage `json:"kind"`
		Clusters   json.RawMessage `json:"clusters"`
		Policies   json.RawMessage `json:"policies"`
	}
	doc := &document{}
	errs := strict(data, &outer, "")
	errs = append(errs, strict(outer.APIVersion, &doc.APIVersion, "apiVersion")...)
	errs = append(errs, strict(outer.Kind, &doc.Kind, "kind")...)
	errs = append(errs, list(outer.Clusters, &doc.Clusters, "clusters")...)
	errs = append(errs, list(outer.Policies, &doc.Policies, "policies")...)
	return doc, errs
}

// maxFound is how many errors are looked for in one list of a document.
const maxFound = 50 * maxErrors

// list decodes each item by itself; one of a wrong type is left out as nil.
func list[T any](data json.RawMessage, into *[]*T, path string) []error {
	var raw []json.RawMessage
	errs := strict(data, &raw, path)
	for i, item := range raw {
		if len(errs) > maxFound {
			break
		}
		value := new(T)
		found := strict(item, value, fmt.Sprintf("%s[%d]", path, i))
		if slices.ContainsFunc(found, isTypeError) {
			value = nil
		}
		errs = append(errs, found...)
		*into = append(*into, value)
	}
	return errs
}

// typeError is a value of a wrong type: what was decoded with it can't be
// trusted.
type typeError struct{ path, got, want string }

func (e *typeError) Error() string { return e.path + ": " + e.got + ": not " + e.want }

func isTypeError(err error) bool {
	_, is := errors.AsType[*typeError](err)
	return is
}

// strict decodes data, if there is any, and tells each error with its path.
func strict(data []byte, into any, path string) []error {
	if len(data) == 0 {
		return nil
	}
	unknown, err := strictjson.UnmarshalStrict(data, into)
	var errs []error
	for _, e := range unknown {
		if field, ok := errors.AsType[strictjson.FieldError](e); ok {
			field.SetFieldPath(joinPath(path, field.FieldPath()))
		}
		errs = append(errs, e)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return append(errs, &typeError{joinPath(path, wrong.Field), valueName(wrong.Value), kindName(wrong.Type)})
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", path, err))
	}
	return errs
}

func joinPath(path, field string) string {
	if path == "" || field == "" {
		return path + field
	}
	return path + "." + field
}

// valueName says what JSON's word for a value is called in a document.
func valueName(value string) string {
	word, _, _ := strings.Cut(value, " ")
	switch word {
	case "object":
		return "a mapping"
	case "array":
		return "a list"
	case "bool":
		return "true or false"
	}
	return "a " + word
}

// kindName says what a Go type is called in a document.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "a mapping"
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	}
	return "a string"
}
