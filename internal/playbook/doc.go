// Package playbook is what a playbook says: documents of the kinds Playbook and Step (a module) in two dialects, read with
// the place of everything in them. How any document is read, package document says; what names stand for, and what a
// run executes, package compiler and package program. It is pure, and panics on no input.
//
//	Definitions         the two kinds, for package language
//	Parse(file, bytes)  the playbooks and modules of a file, and everything that is wrong with it at once
//
// What it refuses is a document.Finding; nothing is repaired silently.
//
// # tend/v1
//
// A playbook has metadata, parameters, timeout, steps, catch, finally, outputs, artifacts. Unknown keys are errors.
//
// A parameter has name, type (string number boolean list map secret integration), required, default, enum, pattern
// (RE2, for the whole text), options, sensitive, description. It is required unless it has a default or says
// `required: false`; one that is not required and not given is absent.
//
// A step has exactly one of uses, steps, foreach, parallel and lock. All have id, name (a title), description and when.
// An id is [a-z][a-z0-9_]*.
//
//   - uses: an action, a verb, or a module by name or path, with its inputs in `with`; env (only for actions that start a
//     process), args, runner, integration, target (a text or a list; in place of what the action says), effect,
//     irreversible, approval, retry, timeout, onDoubt, verify, undo, ignoreFailure, artifacts.
//   - steps: a group. foreach: {in | range: [from, to], key, value, when, break, parallel, steps}. parallel: a list of
//     branches, each a step or block. lock: {key, steps}. Beside them: approval, timeout, stopWhen, catch, finally,
//     ignoreFailure.
//
// The parts around an action:
//
//   - retry: {attempts, backoff, factor | exponential, cap, jitter, on: [kinds of fault]}, or the number of attempts.
//     Attempts count the first; exponential is a factor of 2; jitter is a share from 0 to 1.
//   - approval: {message, from, count, notRequester, within}, or a message, or true.
//   - verify: {uses, with, …, until, within, every}, or a condition alone, {until, within, every}.
//   - undo: {uses, with, …}, or {none: reason}.
//   - onDoubt: retry, ask, fail, or {probe: {uses, with, …, until}}. Without it the effect decides.
//   - stopWhen: a condition, or {uses, with, …, if, every}.
//
// What stands in verify, a probe, stopWhen or a wait only looks: its effect is read unless it says otherwise. Elsewhere
// an action has the effect that the step says, else what its Spec says of the inputs, else mutate; where the Spec is
// proven, the step cannot say otherwise. None of these can use a verb, or a module of several steps.
//
// Verbs, with their inputs in `with`: wait (exactly one of duration, at, until and for; key, within, every), approve, ask
// (message, title, form or choices, selector, default, from, within), manual (title, instructions, from, within),
// playbook (name or path, params), assert (that, message), fail (message). They take none of the keys of
// actions, where these would silently mean nothing.
//
// Inputs that hold code (Field.Verbatim, such as a script) are never rendered: data comes by env. A literal that its
// input cannot take, an unknown input and a required one that is not written are errors before anything runs.
//
// outputs is a map of name and value, or a list of {name, type, value, sensitive, description} with declared types.
//
// # Modules
//
// `kind: Step` declares a module: metadata.name is what `uses` says (case, - and _ do not matter), inputs, effect,
// irreversible, target, timeout, outputs, and a body. The body is `run`, one action: {shell: {script: …}, env: …}, where
// the one key that is not a step's names the action, or {uses, with, env, …}; or it is `steps` (with catch and finally),
// which run as a run of their own. In a body of one action expressions see only {params}, its outputs {params, result}.
// A caller's runner, integration and target come before the module's. A caller can say that a module does more than it
// declares, never less.
//
// Built-in names come before modules. Nothing includes itself, directly or over others.
//
// # stackpulse.io/v1
//
// Read leniently, so that documents that ran in their day run: what tend/v1 refuses is a warning wherever the document
// still means something. A key in another case is read (`Description`), an unknown one ignored, ids may be anything and
// stand twice, parameters may be left out (an empty text), an empty `when` is no condition.
//
// A step has `name`: in this order a module, an alias of an action (with or without Registry and a tag), a program
// for a well-known image (its args are the arguments), else a container image. env is the input map; names match inputs
// by the alias, else without regard to case, - and _; an empty text is not given; SP_FORMATTER (raw means the raw
// parser) and SP_REDIRECT_URL are the engine's own and never inputs. envFrom.integrationRef is the integration,
// output_parser how the output is read. `in` is a path from the root where it is not a template; {range: [a, b]} may
// stand in it. A step that says `uses` is read as in tend/v1, with `name` as its title.
package playbook
