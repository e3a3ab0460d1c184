package function

import (
	"maps"
	"slices"
)

func mapFunctions() []Function {
	return group(groupMap,
		Function{Usage: "dict KEY VALUE...", Doc: "A map.", Max: -1, Secret: true, body: dict},
		Function{Usage: "get MAP KEY DEFAULT", Doc: "The value of KEY, or DEFAULT (empty text) if it is not there. With MAP alone: MAP, null if it is missing.", Min: 1, Max: 3, Guards: true, body: get},
		Function{Usage: "set MAP KEY VALUE", Doc: "A copy in which KEY is VALUE.", Min: 3, Max: 3, body: set},
		Function{Usage: "unset MAP KEY", Doc: "A copy without KEY.", Min: 2, Max: 2, body: unset},
		Function{Usage: "hasKey MAP KEY", Doc: "True if KEY is there.", Min: 2, Max: 2, body: hasKey},
		Function{Usage: "pluck KEY MAP...", Doc: "A list of the values that the maps have for KEY.", Min: 1, Max: -1, body: pluck},
		Function{Usage: "keys MAP...", Doc: "The keys, sorted.", Max: -1, body: keys},
		Function{Usage: "values MAP", Doc: "The values, in the order of their keys.", Min: 1, Max: 1, body: mapValues},
		Function{Usage: "pick MAP KEY...", Doc: "With these keys only.", Min: 1, Max: -1, body: pick},
		Function{Usage: "omit MAP KEY...", Doc: "Without these keys.", Min: 1, Max: -1, body: omit},
		Function{Usage: "merge MAP...", Doc: "One map of all, merged deeply; what is there and not empty in an earlier one stays.", Min: 1, Max: -1, body: func(a *Args) any { return a.merge(false) }},
		Function{Usage: "mergeOverwrite MAP...", Doc: "One map of all, merged deeply; what is there in a later one wins.", Min: 1, Max: -1, body: func(a *Args) any { return a.merge(true) }},
		Function{Usage: "dig KEY... DEFAULT MAP", Doc: "The value below several keys, or DEFAULT if one is not there.", Min: 3, Max: -1, body: dig},
		Function{Usage: "deepCopy VALUE", Doc: "VALUE: nothing can change it here.", Min: 1, Max: 1, body: func(a *Args) any { return a.any(0) }},
	)
}

func dict(a *Args) any {
	out := make(map[string]any, a.len()/2)
	for i := 0; i < a.len(); i += 2 {
		key := a.text(i)
		if i+1 == a.len() {
			out[key] = ""
			break
		}
		out[key] = a.any(i + 1)
	}
	return out
}

func get(a *Args) any {
	if a.len() == 1 {
		return a.any(0)
	}
	if a.any(0) != nil {
		if v, ok := a.dict(0)[a.text(1)]; ok {
			return v
		}
	}
	if a.len() == 3 {
		return a.any(2)
	}
	return ""
}

// copied gives a copy of the map that is argument i, and pays for it.
func (a *Args) copied(i int) map[string]any {
	m := a.dict(i)
	if !a.visit(len(m)) {
		return map[string]any{}
	}
	return maps.Clone(m)
}

func set(a *Args) any {
	m := a.copied(0)
	m[a.text(1)] = a.any(2)
	return m
}

func unset(a *Args) any {
	m := a.copied(0)
	delete(m, a.text(1))
	return m
}

func hasKey(a *Args) any {
	_, ok := a.dict(0)[a.text(1)]
	return ok
}

func pluck(a *Args) any {
	out := []any{}
	key := a.text(0)
	for i := 1; i < a.len(); i++ {
		if v, ok := a.dict(i)[key]; ok {
			out = append(out, v)
		}
	}
	return out
}

func keys(a *Args) any {
	out := []any{}
	for i := range a.len() {
		for _, k := range a.sortedKeys(a.dict(i)) {
			out = append(out, k)
		}
	}
	return out
}

func (a *Args) sortedKeys(m map[string]any) []string {
	if !a.visit(len(m)) {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

func mapValues(a *Args) any {
	m := a.dict(0)
	out := make([]any, 0, len(m))
	for _, k := range a.sortedKeys(m) {
		out = append(out, m[k])
	}
	return out
}

func pick(a *Args) any {
	m, out := a.dict(0), make(map[string]any)
	for i := 1; i < a.len(); i++ {
		key := a.text(i)
		if v, ok := m[key]; ok {
			out[key] = v
		}
	}
	return out
}

func omit(a *Args) any {
	m := a.copied(0)
	for i := 1; i < a.len(); i++ {
		delete(m, a.text(i))
	}
	return m
}

func (a *Args) merge(overwrite bool) any {
	out := map[string]any{}
	for i := range a.len() {
		m := a.dict(i)
		if !a.try(a.Budget.Weigh(m)) {
			return nil
		}
		out = merged(out, m, overwrite)
	}
	return out
}

func merged(to, from map[string]any, overwrite bool) map[string]any {
	out := make(map[string]any, len(to)+len(from))
	maps.Copy(out, to)
	for k, v := range from {
		old, there := out[k]
		oldMap, oldIs := old.(map[string]any)
		newMap, newIs := v.(map[string]any)
		switch {
		case oldIs && newIs:
			out[k] = merged(oldMap, newMap, overwrite)
		case !there, overwrite, !Truth(old):
			out[k] = v
		}
	}
	return out
}

func dig(a *Args) any {
	n := a.len()
	m := a.dict(n - 1)
	for i := range n - 2 {
		v, ok := m[a.text(i)]
		if !ok {
			return a.any(n - 2)
		}
		if i == n-3 {
			return v
		}
		if m, ok = v.(map[string]any); !ok {
			return a.any(n - 2)
		}
	}
	return nil
}
