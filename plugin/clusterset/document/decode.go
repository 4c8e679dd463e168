package document

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// decode fills a document from its tree, strictly: unknown fields and values of a wrong
// type are errors. What is of a wrong type is left out, and hides nothing else.
func (p *parser) decode(root *mapping) *Document {
	d := decoder{collector: p.collector}
	doc := &Document{}
	d.fields("", root, reflect.ValueOf(doc).Elem())
	p.unread = p.unread || d.wrongType
	return doc
}

type decoder struct {
	*collector
	// wrongType is whether some value was of a wrong type, and inItem whether one of the
	// present item of a list was: no more is reported of that.
	wrongType, inItem bool
}

// value sets into; null is the zero value.
func (d *decoder) value(path string, value any, into reflect.Value) {
	if value == nil {
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.value(path, value, into.Elem())
	case reflect.Struct:
		if m, is := value.(*mapping); is {
			d.fields(path, m, into)
			return
		}
		d.mistyped(path, value, into)
	case reflect.Map:
		if m, is := value.(*mapping); is {
			d.entries(path, m, into)
			return
		}
		d.mistyped(path, value, into)
	case reflect.Slice:
		if list, is := value.([]any); is {
			d.list(path, list, into)
			return
		}
		d.mistyped(path, value, into)
	default:
		d.scalar(path, value, into)
	}
}

func (d *decoder) scalar(path string, value any, into reflect.Value) {
	if into.Kind() == reflect.Int {
		if n, is := whole(value); is {
			into.SetInt(n)
			return
		}
	} else if v := reflect.ValueOf(value); v.Kind() == into.Kind() { // a string, or a bool
		into.Set(v)
		return
	}
	d.mistyped(path, value, into)
}

// whole returns a number that YAML may write in several ways, as 10, 1e1 or 10.0.
func whole(value any) (n int64, is bool) {
	switch v := value.(type) {
	case int:
		return int64(v), true
	case float64:
		return int64(v), v == math.Trunc(v) && v >= -1<<63 && v < 1<<63
	}
	return 0, false
}

// fields sets a struct's fields, which are known by their YAML names.
func (d *decoder) fields(path string, m *mapping, into reflect.Value) {
	for i, key := range m.keys {
		at := key
		if path != "" {
			at = path + "." + key
		}
		field := fieldOf(into, key)
		if !field.IsValid() {
			d.report(at, unknownField)
			continue
		}
		if path == "" {
			d.inItem = false
		}
		d.value(at, m.values[i], field)
	}
}

func fieldOf(of reflect.Value, name string) reflect.Value {
	for i := range of.NumField() {
		if tag, _, _ := strings.Cut(of.Type().Field(i).Tag.Get("yaml"), ","); tag == name {
			return of.Field(i)
		}
	}
	return reflect.Value{}
}

// list sets a list. An empty one is nil but for a Choice, and so is an item that is a mapping in
// which something is of a wrong type.
func (d *decoder) list(path string, list []any, into reflect.Value) {
	if into.Type() == reflect.TypeFor[Choice]() {
		into.Set(reflect.MakeSlice(into.Type(), 0, len(list)))
	}
	for i, value := range list {
		item := reflect.New(into.Type().Elem()).Elem()
		if item.Kind() != reflect.Pointer {
			d.value(path, value, item)
		} else {
			d.inItem = false
			item.Set(reflect.New(item.Type().Elem()))
			if d.value(fmt.Sprintf("%s[%d]", path, i), value, item.Elem()); d.inItem {
				item.SetZero()
			}
		}
		into.Set(reflect.Append(into, item))
	}
}

// entries sets a map by strings. An empty one is nil.
func (d *decoder) entries(path string, m *mapping, into reflect.Value) {
	for i, key := range m.keys {
		value := reflect.New(into.Type().Elem()).Elem()
		d.value(path, m.values[i], value)
		if into.IsNil() {
			into.Set(reflect.MakeMap(into.Type()))
		}
		into.SetMapIndex(reflect.ValueOf(key), value)
	}
}

// mistyped reports a value of a wrong type: the first of an item.
func (d *decoder) mistyped(path string, value any, into reflect.Value) {
	want := nameOf(into.Type())
	if into.Kind() == reflect.Int {
		want = "a whole number"
	}
	if !d.inItem {
		d.report(path, "%s: not %s", nameOf(reflect.TypeOf(value)), want)
	}
	d.wrongType, d.inItem = true, true
}

// nameOf returns what values of a type are called in a document.
func nameOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "a mapping"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	}
	return "a number"
}
