// Package document reads YAML documents of any kind with the place of everything in them, and says all that is wrong with
// one at once, with the line, the offending value and what to do. It is pure, and panics on no input.
//
//	Kinds.Parse(file, bytes)  → []*Document, []Finding  the documents of a file, each with what its kind made of it
//	Nodes(file, bytes)        → YAML without its meaning, bounded
//	NewReader, Reader.…       → what the kinds read with
//	NewLibrary(files)         → a Source: the file that declares what another document names
//
// A document has a head, which is read here: apiVersion (the dialect), kind, metadata. The rest is its kind's. What it
// refuses is a Finding with severity Error; nothing is repaired silently. A document is bounded (MaxSize, MaxNesting,
// MaxExpansion), and so are the findings of a file.
//
// # A new kind
//
// A kind is a package of its own noun, with a Definition:
//
//	var keys = document.Head.With(document.Table{
//		document.Def("window", FormWindow, "When nothing may change."),
//		document.Def("reason", document.FormText, "Why."),
//	})
//
//	func Definition() document.Definition {
//		return document.Definition{Kind: document.KindFreeze, Keys: keys, Forms: forms, Read: read}
//	}
//
//	func read(r *document.Reader, d *document.Document) any {
//		s := &Spec{}
//		r.Body(d, keys, "a freeze", func(k document.Key) {
//			switch k.Name {
//			case "window":
//				s.Window = window(r, k)
//			case "reason":
//				s.Reason = r.Fixed(k)
//			}
//		})
//		r.Must(&d.Object, "window", "a freeze")
//		s.Name = d.Metadata.Name
//		return s
//	}
//
// Reader.Body reports unknown keys with a suggestion and reads the head; the methods named after a type (Fixed, Bool,
// Count, Duration, Texts, OneOf, Logic, Data …) report what is of another shape and give the zero value, so that reading
// goes on; Reader.Object with Reader.Each reads a map inside, Reader.List a list; Reader.Fail adds what only the kind
// knows. A read gives its content as far as it could be read, never nil. forms gives the tables of the maps inside, by
// forms of the kind's own ("window", and "window[]" for a list of them): the formatter and the JSON Schemas follow
// them. The kind joins the constants of Kind here and the list in package language; nothing else needs to know it.
//
// # Scalars
//
// A text that contains {{ is a template. In a logic field (when, break, until, if, that, stopWhen, in, the ends of
// range, outputs) any other text is CEL; everywhere else it is the text itself. What YAML reads as a number, true, false
// or nothing is that value. Dates stay texts. Ids, names, keys, durations, counts and lists of people are never
// rendered: a template in them is an error. A duration is 250ms, 30s, 5m, 1h30m, 2d or 1w, always with its unit.
//
// A key in another case is read in the older dialect (`Description`), and an unknown one ignored, with a warning.
// Anchors, aliases and merges (`<<`) work within a document; several documents may stand in one file.
package document
