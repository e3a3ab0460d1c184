// Generated from docs/openapi.json by scripts/types.mjs: do not edit.

export interface Action {
  /** The effect depends on the inputs: http GET is read. */
  depends?: boolean;
  /** Markdown. */
  doc?: string;
  /** Where the document says nothing: read, idempotent or mutate. A verb has none. */
  effect?: string;
  /** How it ends. */
  ends?: ActionEnd[];
  /** The step's env is given to its process. */
  env?: boolean;
  examples?: ActionExample[];
  inputs: ActionField[];
  module?: ActionModule;
  name: string;
  outputs: ActionField[];
  /** No document can declare another effect. */
  proven?: boolean;
  summary: string;
  /** What its effect is on, as templates over the inputs. */
  targets?: string[];
  /** A command of the run. */
  verb?: boolean;
}

export interface ActionEnd {
  /** Of the fault. */
  kind?: string;
  outcome: "succeeded" | "failed" | "not-started" | "in-doubt";
  when: string;
}

export interface ActionExample {
  title: string;
  /** Items of steps. */
  yaml: string;
}

export interface ActionField {
  default?: unknown;
  description?: string;
  enum?: unknown[];
  /** Of a map. */
  fields?: ActionField[];
  /** Of a list. */
  items?: ActionField;
  name: string;
  /** RE2, for the whole text. */
  pattern?: string;
  required: boolean;
  /** Masked everywhere; a secret may be given here. */
  sensitive?: boolean;
  /** string, number, boolean, list, map, secret, integration, duration or any. */
  type: string;
  /** Never rendered: a script or other code. */
  verbatim?: boolean;
}

export interface ActionItem {
  done?: boolean;
  due?: string;
  id?: string;
  owner?: string;
  /** Needed for a new one. */
  text?: string;
  /** Of the issue that was made of it. */
  url?: string;
}

export interface ActionModule {
  file: string;
  project: string;
  version?: string;
}

export interface Actions {
  /** Actions and verbs by name, then the modules of the repositories that the asker may look at. */
  actions: Action[];
  /** The keys of a block, in their canonical order. */
  block: Key[];
  /** The keys of the maps that a key can hold, by the form of the key. */
  maps: Record<string, Key[] | null>;
  /** The keys of a step that uses something, in their canonical order. */
  step: Key[];
}

export interface AddLink {
  name?: string;
  /** The address of a page. */
  url: string;
}

export interface Answer {
  choice: string;
  output?: Record<string, unknown>;
  why?: string;
}

export interface Answered {
  status: string;
}

export interface Approval {
  above?: number;
  irreversible?: boolean;
}

export interface ApprovedChange {
  by: string;
  from: string;
  /** As whoever approved it calls it. */
  id: string;
  /** Globs; none: all. */
  playbooks?: string[];
  project: string;
  /** Globs; none: all. */
  targets?: string[];
  to: string;
  why?: string;
}

export interface Around {
  /** The playbooks that it runs. */
  calls: string[];
  /** That can stop one of its effects. */
  guards: AroundGuard[];
  /** The tests beside it. */
  tests: SourceFile[];
  /** That start it. */
  triggers: AroundTrigger[];
  /** The actions, verbs and modules that it uses. */
  uses: string[];
}

export interface AroundGuard {
  file?: string;
  line?: number;
  name: string;
  /** What it holds people to, in a sentence. */
  says: string;
  /** Paths of the steps that it is asked about, as far as their targets are known. */
  steps: string[];
  /** hold, deny or ask. */
  then: string;
  /** Its rule: cooldown, rate, freeze, … */
  what: string;
}

export interface AroundTrigger {
  enabled: boolean;
  file?: string;
  line?: number;
  name: string;
  /** What it selects events by. */
  on?: Record<string, unknown>;
  /** Its condition. */
  when?: string;
}

export interface Artifact {
  name: string;
  ref: Ref;
}

export interface Assign {
  /** A person or a group: user:ada@example.org, ada@example.org, group:sre, oncall/database. Empty: nobody. */
  to?: string;
  why?: string;
}

export interface AuditPage {
  damaged: Problem[];
  next?: string;
  records: AuditRecord[];
}

export interface AuditRecord {
  allowed?: boolean;
  at: string;
  by?: Who;
  epoch: number;
  erased?: boolean;
  hash: string;
  kind: string;
  object?: string;
  of?: string;
  payload?: unknown;
  prev: string;
  project?: string;
  raw?: string;
  salt: string;
  seq: number;
  stream: string;
  sum: string;
  version: number;
  what?: string;
  why?: string;
}

export interface AuditVerified {
  damaged: Problem[];
  entries: number;
  runs: number;
  streams: number;
}

export interface BackedUp {
  blobs: number;
  bytes: number;
  index: number;
  instance: string;
  path: string;
}

export interface Backup {
  path: string;
}

export interface Bind {
  /** Take away what the role may, whoever gives it. */
  deny?: boolean;
  /** Of the object: all must match. */
  labels?: Record<string, string>;
  /** None: all. */
  projects?: string[];
  role: "viewer" | "breaker" | "operator" | "author" | "approver" | "admin";
  /** user:alice@example.org, user:*@example.org, group:sre, token:ci, or * for everybody who signed on. */
  subjects: string[];
}

export interface Binding {
  deny?: boolean;
  labels?: Record<string, string>;
  name: string;
  projects?: string[];
  role: string;
  subjects: string[];
}

export interface Bindings {
  bindings: Binding[];
}

export interface Box {
  block?: boolean;
  effect?: string;
  h: number;
  kind: string;
  lines?: string[];
  parent?: string;
  path: string;
  role?: string;
  status?: string;
  title: string;
  w: number;
  x: number;
  y: number;
}

export interface BreakGlass {
  /** The reason. It is told to everybody, and somebody else looks at it afterwards. */
  why: string;
}

export interface Breaker {
  again?: string;
  failures: number;
  open: string;
  per?: string;
  within: string;
}

export interface Cause {
  carry?: string;
  event?: string;
  for?: string;
  incident?: string;
  key?: string;
  offer?: string;
  parent?: string;
  path?: string;
  root?: string;
  trigger?: string;
  undoes?: string;
  why?: string;
}

export interface Change {
  required: boolean;
}

export interface ChangeEnd {
  id: string;
  project?: string;
  why?: string;
}

export interface ChangeRequest {
  /** Without it now. */
  from?: string;
  id: string;
  /** How long it is open. */
  minutes: number;
  playbooks?: string[];
  project?: string;
  targets?: string[];
  why?: string;
}

export interface Channel {
  /** What is told there besides incidents: escalations, glass, pages, runs, tasks. Of issues and threads nothing is. */
  hears: string[];
  integration?: string;
  /** slack, email, pagerduty, webhook; issues: action items become issues of a repository; threads: runs that somebody started there. */
  kind: string;
  name: string;
  /** When what waits longest was to be told. */
  oldest?: string;
  /** Of which it tells. Nothing: of all. */
  projects?: string[];
  /** The least that is told. */
  severity?: string;
  /** When a message arrived last, since the start. */
  told?: string;
  trouble?: Trouble;
  /** Messages that are not told yet. */
  waiting: number;
}

export interface Claim {
  /** Also when somebody else sees to it. */
  take?: boolean;
  why?: string;
}

export interface Command {
  all?: boolean;
  params?: Record<string, unknown>;
  path?: string;
  text?: string;
  verb: string;
  why?: string;
}

export interface Comment {
  text: string;
}

export interface Concurrency {
  limit: number;
  per?: string;
  then?: string;
}

export interface ConnectedRepository {
  environment?: string;
  /** The revision. */
  live?: string;
  looked?: string;
  name: string;
  place: string;
  project: string;
  trouble?: Trouble;
}

export interface ConnectedRunner {
  host: string;
  jump?: string;
  kind: string;
  name: string;
  port?: number;
  trouble?: Trouble;
  user?: string;
}

export interface Connections {
  /** Through which people and services are told. */
  channels: Channel[];
  /** Who is on call, and who says so. */
  duties: Duty[];
  /** Named connections: of the server, and those that repositories declare. */
  integrations: Integration[];
  /** Where playbooks come from; listRepositories tells more. */
  repositories: ConnectedRepository[];
  /** Places where steps run, besides the server. */
  runners: ConnectedRunner[];
  /** When whoever keeps secrets was asked whether they are there. */
  sought?: string;
  /** Ways in for events. */
  sources: Source[];
  /** Where others find the server, when it is configured. Hooks are below it. */
  url?: string;
}

export interface Cooldown {
  every: string;
  per?: string;
}

export interface Delegate {
  /** People and groups, one of whom may answer. */
  to: string[];
  why?: string;
}

export interface Detail {
  action?: string;
  change?: IncidentUpdated;
  count?: number;
  name?: string;
  path?: string;
  people?: string[];
  severity?: string;
  source?: string;
  status?: string;
  targets?: string[];
  task?: string;
  until?: string;
  why?: string;
}

export interface DocumentMember {
  event: string;
  group?: string;
  name?: string;
  since: string;
  source: string;
  status?: string;
}

export interface DocumentRun {
  began: string;
  ended?: string;
  event?: string;
  playbook?: string;
  run: string;
  status: string;
  why?: string;
}

export interface Done {
  count?: number;
  note?: string;
  run?: string;
}

export interface Draft {
  /** Where it stands, or will, from the folder of the repository that is read. */
  file: string;
  /** The repository around it: modules and playbooks that it names are looked for there. */
  repository?: string;
  text: string;
}

export interface DraftEdit {
  /** Carried out in order, all or none. Paths of a later one are those after the one before it. */
  edits: Edit[];
  /** Where it stands, or will, from the folder of the repository that is read. */
  file: string;
  /** The repository around it: modules and playbooks that it names are looked for there. */
  repository?: string;
  text: string;
}

export interface DraftPlan {
  /** What templates see as event. */
  event?: Record<string, unknown>;
  /** Where it stands, or will, from the folder of the repository that is read. */
  file: string;
  params?: Record<string, unknown>;
  /** The name, where the text has several. */
  playbook?: string;
  /** The repository around it: modules and playbooks that it names are looked for there. */
  repository?: string;
  text: string;
}

export interface Duty {
  /** When who knows it answered last, since the start. */
  asked?: string;
  /** Who says whose turn it is. */
  kind: "calendar" | "grafana" | "jira" | "pagerduty" | "rotation";
  name: string;
  /** Who has it now. */
  people: string[];
  secrets: NamedSecret[];
  trouble?: Trouble;
}

export interface Edge {
  from: string;
  kind: string;
  points: Point[];
  to: string;
}

export interface Edit {
  /** add, move: after the step at this path. */
  after?: string;
  /** add, move: before the step at this path. */
  before?: string;
  /** wrap: in what. */
  block?: "steps" | "parallel" | "foreach" | "lock";
  /** wrap: how many steps from path on; 0 is 1. */
  count?: number;
  do: "add" | "move" | "remove" | "duplicate" | "set" | "unset" | "wrap" | "unwrap" | "rename";
  /** Which document of the text, from 0. */
  document?: number;
  /** set, unset: when, with.message, retry.attempts, env["A.B"], parameters[0].default */
  field?: string;
  /** rename: the new id. What refers to the old one follows. */
  id?: string;
  /** add, move: to the end of this list: steps, steps[1].catch, steps[2].parallel. It is made when it is not there. Or to where one step stands: steps[1].verify, steps[1].undo. */
  into?: string;
  /** The step, as the layout has it. set and unset: nothing is the document itself. */
  path?: string;
  /** add: the YAML of a step, in place of value. */
  step?: string;
  /** set: the value. add: the step as data. move into a verify: what it says besides (until). wrap: what foreach or lock says besides its steps. */
  value?: unknown;
}

export interface Edited {
  documents: LookedDocument[];
  /** As of tend lint. One with severity error keeps the text from being live. */
  findings: Finding[];
  /** For each edit the path of the step that it was about, as it was right after it. After remove it is empty. */
  paths: string[];
  text: string;
}

export interface End {
  id?: string;
  why?: string;
}

export interface Entries {
  entries: Entry[];
  next?: number;
}

export interface Entry {
  at: string;
  epoch: number;
  erased?: boolean;
  hash: string;
  kind: string;
  payload?: unknown;
  prev: string;
  raw?: string;
  salt: string;
  seq: number;
  stream: string;
  sum: string;
  version: number;
}

export interface EventDetail {
  /** Who asked for the decision, when somebody asked again. */
  again?: Who;
  at: string;
  cause?: string;
  /** The triggers that led to it, oldest first: event, run, event. */
  chain?: string[];
  data?: Record<string, unknown>;
  decision: Receipt;
  group?: string;
  /** The one that holds or refuses. */
  guard?: string;
  id: string;
  key: string;
  kind: string;
  labels?: Record<string, string>;
  name?: string;
  /** The one that the trigger is for. */
  playbook?: string;
  priority?: number;
  project: string;
  /** Where it stands in the stream of its source. */
  seq: number;
  source: string;
  status?: string;
  trace?: string;
  until?: string;
}

export interface Fared {
  failed: number;
  name: string;
  project: string;
  runs: number;
  savedMinutes: number;
  succeeded: number;
  team: string;
  verifiable: number;
  verified: number;
}

export interface Fault {
  kind: string;
  message: string;
  path?: string;
}

export interface Field {
  default?: unknown;
  description?: string;
  enum?: unknown[];
  name: string;
  pattern?: string;
  required: boolean;
  sensitive?: boolean;
  type: string;
}

export interface Finding {
  column?: number;
  file: string;
  line?: number;
  message: string;
  remedy?: string;
  rule: string;
  severity: string;
  /** The line as it stands. */
  source?: string;
}

export interface Formatted {
  changed: boolean;
  /** Why it was left as it is. */
  findings: Finding[];
  text: string;
}

export interface Found {
  hits: Hit[];
  /** There may be more: not everything was looked at. */
  more: boolean;
}

export interface Freeze {
  calendar?: string;
  events?: string;
  windows?: Window[];
  zone?: string;
}

export interface Glance {
  /** Moments that are not kept. */
  earlier?: number;
  head: GlanceHead;
  /** What happened, oldest first. */
  moments: RunMoment[];
  outputs?: Record<string, unknown>;
  /** Sensitive ones are masked. */
  params?: Record<string, unknown>;
  /** In the order of the playbook, each after the block that it stands in. */
  steps: GlanceStep[];
}

export interface GlanceHead {
  /** Of that revision. */
  author?: string;
  by: Who;
  cause?: Cause;
  /** Targets that it changed; those that were undone are left out. */
  changed?: string[];
  /** The hash of the compiled playbook with all that it calls. */
  closure: string;
  /** The revision that the playbook is from. */
  commit?: string;
  created?: string;
  /** Paths of steps whose outcome nobody knows. */
  doubts?: string[];
  ended?: string;
  /** Entries whose payload was erased. */
  erased?: number;
  /** Why it is where it is, and what would move it, in a sentence or two, with the command to type. */
  explain: string;
  fault?: Fault;
  id: string;
  /** Of the playbook. */
  name: string;
  project: string;
  /** Entries that could not be read. */
  remarks?: string[];
  /** Of the last entry that is in this. */
  seq: number;
  /** The file, or commit:path. */
  source?: string;
  started?: string;
  status: string;
  /** Each step waits to be let go. */
  stepping?: boolean;
  timedOut?: boolean;
  /** Something that it changed can be undone. */
  undoable?: boolean;
  /** Fully or partly: what it had changed was undone. */
  undone?: string;
  waits?: RunWait[];
  /** The same without commands. */
  why: string;
}

export interface GlanceStep {
  /** Since when the attempt acts that is in flight. */
  acts?: string;
  /** The step that stands before it in this list. */
  after?: string;
  attempts?: number;
  /** When its first attempt began; before that it waited. */
  began?: string;
  /** The run of a sub-playbook. */
  child?: string;
  /** Of a loop: how many iterations there are. */
  count?: number;
  depth: number;
  /** Of a loop: how many are over. */
  done?: number;
  /** Of the next attempt, or until when it is held. */
  due?: string;
  effect?: string;
  ended?: string;
  /** Of a loop: how many failed. */
  failed?: number;
  fault?: string;
  /** Of a loop: iterations that are not shown any more. */
  forgotten?: number;
  /** The guard that holds it. */
  held?: string;
  id?: string;
  irreversible?: boolean;
  /** action, wait, …, foreach, iteration. */
  kind: string;
  label: string;
  line?: number;
  lock?: string;
  /** Some attempt printed something that is kept. */
  log?: boolean;
  parent?: string;
  path: string;
  /** Where it stands in the graph: its path without the keys of iterations. */
  place: string;
  runner?: string;
  /** catch, finally, verify, probe, undo, …; empty in the main flow. */
  section?: string;
  started?: string;
  status: string;
  /** The first one. */
  target?: string;
  /** How many there are. */
  targets?: number;
  /** What a person is asked. */
  task?: string;
  undone?: boolean;
  uses?: string;
  verified?: string;
  why?: string;
  /** It was only recorded what it would have done. */
  would?: boolean;
}

export interface Guard {
  name: string;
  project: string;
  rule: string;
  /** What it holds people to, in a sentence. */
  says: string;
  then?: string;
}

export interface Halt {
  at: string;
  by: string;
  environment?: string;
  id: string;
  playbook?: string;
  project?: string;
  target?: string;
  why?: string;
}

export interface HaltRequest {
  environment?: string;
  /** A glob. */
  playbook?: string;
  project?: string;
  /** A glob. */
  target?: string;
  why?: string;
}

export interface Halts {
  halts: Halt[];
}

export interface Handed {
  title?: string;
  value: string;
}

export interface Handover {
  at: string;
  /** When it was taken, expired or was taken back. */
  ended?: string;
  expires: string;
  id: string;
  run: string;
  status: "pending" | "taken" | "expired" | "withdrawn";
  title?: string;
}

export interface Handovers {
  handovers: Handover[];
}

export interface Hit {
  at?: string;
  /** Of a playbook its name. */
  id: string;
  kind: "run" | "task" | "incident" | "event" | "playbook" | "trigger" | "guard" | "action" | "revision";
  /** What it belongs to: of a trigger the playbook that it starts, of a task its run, of a guard, a module and a revision the repository. */
  of?: string;
  project?: string;
  status?: string;
  /** What else is worth knowing. */
  text?: string;
  title: string;
}

export interface Incident {
  commander?: string;
  ended?: string;
  events: number;
  firing: number;
  from?: string[];
  id: string;
  into?: string;
  items?: IncidentItem[];
  keys?: string[];
  labels?: Record<string, string>;
  links?: Link[];
  members?: DocumentMember[];
  next?: string;
  nextBy?: string;
  opened: string;
  project: string;
  reopened?: number;
  responders?: string[];
  runs?: DocumentRun[];
  severity: string;
  stakeholders?: string[];
  status: string;
  summary?: string;
  taken?: string;
  timeline?: Line[];
  title: string;
  toResolve?: number;
  toTake?: number;
  trigger?: string;
  updateDue?: string;
  version: number;
}

export interface IncidentChange {
  commander?: string;
  /** Added to those that are there; null takes one away. */
  labels?: Record<string, string | null>;
  links?: Link[];
  /** The next step. */
  next?: string;
  /** When it is expected. */
  nextBy?: string;
  responders?: string[];
  /** critical, major, minor or info. */
  severity?: string;
  stakeholders?: string[];
  /** open, acknowledged or mitigated. */
  status?: string;
  summary?: string;
  title?: string;
  why?: string;
}

export interface IncidentItem {
  by: Who;
  done?: boolean;
  due?: string;
  id: string;
  kept?: string;
  owner?: string;
  text: string;
  url?: string;
}

export interface IncidentMember {
  group: string;
  source: string;
}

export interface IncidentMerge {
  into: string;
  why?: string;
}

export interface IncidentOpen {
  /** Events with the same key join it; an open one with the key is given in its place. */
  key?: string;
  labels?: Record<string, string>;
  links?: Link[];
  /** Without it default. */
  project?: string;
  /** critical, major, minor or info. */
  severity: string;
  summary?: string;
  title: string;
}

export interface IncidentSplit {
  members: IncidentMember[];
  /** Without it that of the incident. */
  severity?: string;
  title: string;
  why?: string;
}

export interface IncidentUpdated {
  by: Who;
  commander?: string;
  labels?: Record<string, unknown>;
  links?: Link[];
  next?: string;
  nextBy?: string;
  responders?: string[];
  severity?: string;
  stakeholders?: string[];
  status?: string;
  summary?: string;
  title?: string;
  why?: string;
}

export interface Insights {
  alerts: Noise[];
  before?: Team;
  playbooks: Fared[];
  series?: Part[];
  since: string;
  teams: Team[];
  total: Team;
  unread: number;
  until: string;
}

export interface Integration {
  description?: string;
  environment?: string;
  /** Paths that the service posts to. */
  hooks?: string[];
  /** What it connects to. */
  kind: string;
  name: string;
  /** Of the repository. Nothing: it is the server's, for all. */
  project?: string;
  /** Which declares it. Nothing: the server's configuration does. */
  repository?: string;
  secrets: NamedSecret[];
  trouble?: Trouble;
}

export interface Key {
  doc: string;
  /** What its value is: text, logic (CEL), template, duration, count, bool, map, step[], … */
  form: string;
  name: string;
}

export interface Layout {
  boxes: Box[];
  edges: Edge[];
  h: number;
  name: string;
  w: number;
}

export interface Line {
  at: string;
  detail?: Detail;
  ref?: string;
  text?: string;
  what: string;
  who?: string;
}

export interface Link {
  name?: string;
  url: string;
}

export interface Looked {
  documents: LookedDocument[];
  /** As of tend lint. One with severity error keeps the text from being live. */
  findings: Finding[];
}

export interface LookedDocument {
  /** Of the file, from 0. */
  index: number;
  kind: string;
  /** Of a playbook or module, as tend graph draws it. */
  layout?: Layout;
  line?: number;
  name?: string;
  parameters?: Field[];
  /** Where the boxes of the layout stand in the text, by path. */
  parts?: LookedPart[];
  /** Everything that it names could be found. false: it is drawn as far as it goes. */
  whole?: boolean;
}

export interface LookedField {
  column: number;
  line: number;
  /** As an edit names it: with.message, retry.attempts. */
  path: string;
}

export interface LookedPart {
  column: number;
  /** Its last line. */
  end: number;
  /** Where the fields of a step stand, in the order of the text; of maps and lists as far as three levels down. */
  fields?: LookedField[];
  /** Its first line, from 1. */
  line: number;
  /** A list, to which steps can be added: into. */
  list?: boolean;
  /** That of the box. */
  path: string;
  /** What the step says, as data; the steps in it are left out. */
  says?: unknown;
}

export interface Made {
  /** The token. It is not kept, and cannot be shown again. */
  text: string;
  token: Token;
}

export interface MakeToken {
  /** How long it is good, as 720h: a personal one up to 90 days, a service's up to a year. */
  for: string;
  kind: "personal" | "service";
  /** What it is for; of a service token the name of the service. */
  name: string;
  /** Bounds: it may do less than its owner. */
  scope?: Scope;
}

export interface Me {
  /** Address that the request came from. */
  from?: string;
  /** As the issuer says, and the duties that they have now. */
  groups: string[];
  /** Stable: user:…, token:…, workload:…, os:… */
  id: string;
  /** The owner of the data directory, over its socket. */
  local: boolean;
  /** What they may do, so that nothing else is offered to them. What is bound to labels of objects is left out. */
  may: Power[];
  /** For people. */
  name: string;
  /** The bounds of a token: it may do less than who it belongs to. */
  scope?: Scope;
}

export interface MissingSecrets {
  missing: Problem[];
}

export interface Mode {
  environment?: string;
  mode: string;
  playbook?: string;
  project?: string;
}

export interface ModeRequest {
  environment?: string;
  mode: "observe" | "ask" | "auto";
  /** A glob. */
  playbook?: string;
  project?: string;
  why?: string;
}

export interface NamedSecret {
  found: boolean;
  name: string;
  /** It cannot be found. */
  why?: string;
}

export interface Noise {
  events: number;
  held: number;
  name: string;
  source: string;
  started: number;
  unmatched: number;
}

export interface Offer {
  /** Who is asked to approve on the way; * is anybody who may. None: nobody is. */
  approvers?: string[];
  description?: string;
  environment?: string;
  /** Of the playbook. */
  name: string;
  /** What whoever asks should know. */
  note?: string;
  /** What whoever asked is shown when it is done. */
  outputs?: Field[];
  owner?: string;
  /** The form. */
  parameters?: Field[];
  project: string;
  title: string;
}

export interface Offers {
  offers: Offer[];
}

export interface Override {
  by: string;
  guard: string;
  id: string;
  playbook?: string;
  project: string;
  targets?: string[];
  until: string;
  why: string;
}

export interface OverrideRequest {
  guard: string;
  /** How long; a week at most. */
  minutes: number;
  /** A glob. */
  playbook?: string;
  project?: string;
  /** Globs; without them all. */
  targets?: string[];
  why: string;
}

export interface Page {
  next?: string;
  rows: Row[];
}

export interface PageOut {
  message?: string;
  /** Who is called. */
  targets: string[];
}

export interface Part {
  since: string;
  sum: Team;
  until: string;
}

export interface Pin {
  at: string;
  by: string;
  revision: string;
  why?: string;
}

export interface PinRequest {
  /** Its id, or the beginning of it. */
  revision: string;
  why?: string;
}

export interface Plan {
  catch?: PlanStep[];
  finally?: PlanStep[];
  name: string;
  outputs?: Record<string, unknown>;
  params?: Record<string, unknown>;
  problems?: string[];
  source?: string;
  steps: PlanStep[];
}

export interface PlanStep {
  approval?: string;
  catch?: PlanStep[];
  condition?: string;
  dependsOn?: string[];
  effect?: string;
  finally?: PlanStep[];
  guards?: string[];
  id?: string;
  inputs?: Record<string, unknown>;
  irreversible?: boolean;
  kind: string;
  more?: number;
  name?: string;
  note?: string;
  onDoubt?: string;
  path: string;
  problems?: string[];
  retry?: string;
  runner?: unknown;
  steps?: PlanStep[];
  targets?: unknown[];
  timeout?: string;
  undo?: PlanStep;
  undoNone?: string;
  until?: string;
  uses?: string;
  verify?: PlanStep;
  when?: string;
}

export interface Playbook {
  commit?: string;
  description?: string;
  /** The same as long as neither it nor what it calls does anything else. */
  digest: string;
  environment?: string;
  labels?: Record<string, string>;
  /** What becomes of its mutations now: observe, ask or auto. */
  mode: string;
  /** It can change something. */
  mutates: boolean;
  name: string;
  outputs?: Field[];
  owner?: string;
  parameters?: Field[];
  project: string;
  source: string;
}

export interface PlaybookRecord {
  failed: number;
  /** The newest first. */
  last: RecordRun[];
  name: string;
  project: string;
  /** How many were looked at. */
  runs: number;
  succeeded: number;
  /** The owner, or the label team. */
  team?: string;
  /** That start it, by name; those that are off are left out. */
  triggers: string[];
  /** Had something to prove: a verification was made, or it failed before it came to one. */
  verifiable: number;
  /** Succeeded, and a verification held. */
  verified: number;
  /** The playbook has a verification. */
  verifies: boolean;
}

export interface PlaybookRecords {
  /** One for each playbook that the asker may look at, in the order of the playbooks' list. */
  records: PlaybookRecord[];
}

export interface PlaybookSource {
  /** Which document of the file it is, from 0. */
  document: number;
  /** From the folder of the repository that is read. */
  file: string;
  /** The revision is the live one. */
  live: boolean;
  /** Address or directory of the repository. */
  place: string;
  project: string;
  repository: string;
  revision: Revision;
  /** What becomes of a proposal of the asker. */
  saves: "branch" | "patch";
  text: string;
}

export interface PlaybookVersion {
  author?: string;
  committed?: string;
  /** It did something else than the version before: where the text is the same, something that it uses changed. */
  does: boolean;
  file: string;
  live: boolean;
  liveSince?: string;
  /** A commit from before the revisions that are kept: whether it was ever live is not known, and of what it did only the file. */
  past?: boolean;
  revision: string;
  text: string;
  title?: string;
}

export interface PlaybookVersions {
  /** The newest first. */
  versions: PlaybookVersion[];
  /** There were none before. false: revisions that are not kept any more, or the commits before, may have had others. */
  whole: boolean;
}

export interface Playbooks {
  playbooks: Playbook[];
}

export interface Point {
  x: number;
  y: number;
}

export interface Power {
  /** In every project but those in except. */
  all?: boolean;
  except?: string[];
  /** In these. */
  projects?: string[];
  /** Also what belongs to no project: the server itself. */
  server?: boolean;
  verb: string;
}

export interface Problem {
  detail: string;
  errors?: Problem[];
  kind: string;
  next?: string;
  status: number;
  title: string;
  type: string;
}

export interface Propose {
  /** Also when the text has errors: nothing of it becomes live before they are mended. */
  anyway?: boolean;
  /** The revision that the text was made from. Empty for a new file. */
  base?: string;
  /** The last part of the branch's name. Without it the title makes one. */
  branch?: string;
  file: string;
  /** A patch, also where a branch could be pushed. */
  patch?: boolean;
  text: string;
  /** The first line of the commit's message. */
  title: string;
  /** The rest of it. */
  why?: string;
}

export interface Proposed {
  /** Where people look at the branch and ask for it to be merged. */
  address?: string;
  /** What it is made for. */
  base: string;
  branch?: string;
  commit?: string;
  /** From the root of the repository. */
  file: string;
  /** Of the file, and errors of the whole repository, with the change. */
  findings: Finding[];
  how: "branch" | "patch";
  /** For git apply or git am. */
  patch?: string;
}

export interface Rate {
  limit: number;
  per?: string;
  within: string;
}

export interface Reason {
  why?: string;
}

export interface Receipt {
  event: string;
  incident?: string;
  outcome: string;
  run?: string;
  trigger?: string;
  until?: string;
  was?: string;
  why?: string;
}

export interface Receipts {
  receipts: Receipt[];
}

export interface RecordRun {
  began: string;
  by?: string;
  ended?: string;
  run: string;
  status: string;
  verified?: boolean;
}

export interface Ref {
  id: string;
  salt: string;
  size: number;
  sum: string;
}

export interface Replay {
  /** Also when it is too old for the trigger. */
  anyway?: boolean;
}

export interface Report {
  /** What playbooks see as event. */
  data?: Record<string, unknown>;
  /** What belongs together; without it the key. */
  group?: string;
  /** The same key again is the same event. */
  key: string;
  /** alert, webhook, person, … */
  kind: string;
  /** What triggers select by. */
  labels?: Record<string, string>;
  /** For people. */
  name?: string;
  /** A greater one goes first when there is too much. */
  priority?: number;
  /** Of what begins and ends. */
  status?: "firing" | "resolved" | "vanished";
}

export interface Reports {
  events: Report[];
}

export interface Repositories {
  repositories: Repository[];
}

export interface Repository {
  branch?: string;
  environment?: string;
  /** What is live is what it holds, and it can be looked at. */
  healthy: boolean;
  live?: Revision;
  /** When it could be looked at last. */
  looked?: string;
  name: string;
  owner?: string;
  path?: string;
  /** Somebody keeps a revision live. */
  pin?: Pin;
  /** Its address or directory. */
  place: string;
  /** Why it cannot be looked at. */
  problem?: string;
  project: string;
  /** The newest revision, which has errors. */
  refused?: Revision;
  /** What becomes of a change that the asker proposes. In lists of repositories only. */
  saves?: Saves;
  /** Of the problem. */
  since?: string;
  /** The newest revision, which is good while another one is pinned. */
  waiting?: Revision;
}

export interface Request {
  asked: string;
  ended?: string;
  /** Of the run. */
  id: string;
  offer: string;
  /** Those that the offer declares, when it is done. */
  outputs?: Record<string, unknown>;
  /** As they were given; what is sensitive is left out. */
  params?: Record<string, unknown>;
  project: string;
  /** Of the run: pending, running, waiting, succeeded, failed, cancelled, … */
  status: string;
  title?: string;
  /** What it waits for: people, time or work. */
  waits?: string;
  /** Outputs that the offer declares and that hold something sensitive. */
  withheld?: string[];
}

export interface Requests {
  next?: string;
  requests: Request[];
}

export interface Revision {
  author?: string;
  /** Playbooks that do something else than in the revision before. */
  changed?: string[];
  committed?: string;
  environment?: string;
  errors?: number;
  /** The first ones, errors first. */
  findings?: Finding[];
  guards: number;
  /** The commit; of a directory a sum of its content. */
  id: string;
  liveSince?: string;
  playbooks: number;
  project: string;
  repository: string;
  /** The commit before it, which is no ancestor of it: history was rewritten. */
  rewritten?: string;
  seen: string;
  status: "live" | "good" | "refused";
  title?: string;
  triggers: number;
  warnings?: number;
}

export interface Revisions {
  revisions: Revision[];
}

export interface Row {
  at?: string;
  body?: unknown;
  due?: string;
  id: string;
  kind: string;
  /** Roles can be bound by them. */
  labels?: Record<string, string>;
  name?: string;
  parent?: string;
  project?: string;
  status?: string;
  tag?: string;
}

export interface Rules {
  /** What is expected and silent, since when. */
  blind?: Record<string, string>;
  /** Approved ones that are not over. */
  changes?: ApprovedChange[];
  guards: Guard[];
  halts: Halt[];
  /** The first one is the server's. */
  modes: Mode[];
  overrides: Override[];
  /** Names this state of the rules; intents record it. */
  version: string;
}

export interface RunAttempt {
  ended?: string;
  fault?: Fault;
  log?: Ref;
  number: number;
  outcome?: string;
  started: string;
}

export interface RunCondition {
  error?: string;
  text?: string;
  value: boolean;
  what: string;
}

export interface RunLoop {
  broke?: boolean;
  count: number;
  failed: number;
  forgotten?: number;
  skipped: number;
  started: number;
  succeeded: number;
}

export interface RunMoment {
  at: string;
  path?: string;
  seq: number;
  text: string;
}

export interface RunStep {
  artifacts?: Artifact[];
  attempt?: RunAttempt[];
  attempts?: number;
  catch?: RunStep[];
  child?: string;
  conditions?: RunCondition[];
  due?: string;
  effect?: string;
  ended?: string;
  fault?: Fault;
  finally?: RunStep[];
  guards?: string[];
  held?: string;
  helpers?: RunStep[];
  id?: string;
  inputs?: Record<string, unknown>;
  irreversible?: boolean;
  key?: string;
  kind: string;
  line?: number;
  lock?: string;
  loop?: RunLoop;
  output?: Record<string, unknown>;
  outputRef?: Ref;
  path: string;
  runner?: string;
  sealed?: boolean;
  section?: string;
  started?: string;
  status: string;
  steps?: RunStep[];
  targets?: string[];
  tasks?: RunTask[];
  title?: string;
  undo?: RunUndo;
  uses?: string;
  verified?: string;
  wait?: WaitStarted;
  why?: string;
  would?: Would;
}

export interface RunTask {
  also?: string[];
  asked: string;
  by?: Who[];
  closed?: string;
  expires?: string;
  id: string;
  outcome?: string;
  type: string;
  why?: string;
}

export interface RunUndo {
  done?: boolean;
  fault?: Fault;
  inputs?: Record<string, unknown>;
  none?: string;
}

export interface RunWait {
  for: string;
  holder?: string;
  on?: string;
  path: string;
  until?: string;
  why?: string;
}

export interface Saves {
  /** Who the commit is by: name and address. */
  author: string;
  how: "branch" | "patch";
  /** The branch that it is proposed for. */
  into?: string;
  /** With what the names of branches begin. */
  prefix?: string;
}

export interface Scope {
  projects?: string[];
  roles?: string[];
}

export interface Sealed {
  /** The token. It is not kept, and cannot be shown again. */
  text: string;
}

export interface Secrets {
  names: string[];
}

export interface Selection {
  actions?: string[];
  effects?: string[];
  environments?: string[];
  except?: string[];
  labels?: Record<string, string>;
  outside?: string[];
  playbooks?: string[];
  targets?: string[];
}

export interface Send {
  key?: string;
  name: string;
  payload?: Record<string, unknown>;
}

export interface Sent {
  runs: string[];
}

export interface Share {
  group?: string;
  members?: string[];
  percent: number;
  size: number;
  within: string;
}

export interface SignOn {
  /** Of the person: the emergency token needs it. */
  name?: string;
  token: string;
  /** The reason: the emergency token needs it. */
  why?: string;
}

export interface SignOnCode {
  code: string;
  /** Of the challenge that the browser was sent with (PKCE, S256). */
  verifier: string;
}

export interface Sketch {
  file: string;
  name: string;
  text: string;
}

export interface Source {
  /** Whom the server asks. */
  address?: string;
  /** When who is asked answered last, since the start. */
  asked?: string;
  /** The last one that came. */
  event?: string;
  /** How often the server asks; when a schedule ticks; how long a silence may last. */
  every?: string;
  /** When that came. */
  heard?: string;
  /** The path that is posted to. */
  hook?: string;
  kind: string;
  name: string;
  project: string;
  secrets: NamedSecret[];
  /** How its messages are signed. */
  signed?: string;
  trouble?: Trouble;
  /** push: services post. pull: the server asks. time: the server makes them itself. */
  way: "push" | "pull" | "time";
}

export interface SourceFile {
  file: string;
  size: number;
  /** SHA-256 of its content, in hexadecimal: the same as long as nothing in it changes. */
  sum?: string;
  text?: string;
}

export interface SourceFiles {
  files: SourceFile[];
  revision: string;
}

export interface Spec {
  approval?: Approval;
  breaker?: Breaker;
  change?: Change;
  concurrency?: Concurrency;
  cooldown?: Cooldown;
  fence?: string[];
  freeze?: Freeze;
  name: string;
  rate?: Rate;
  select?: Selection;
  share?: Share;
  spread?: Spread;
  standDown?: StandDown;
  then?: string;
}

export interface Spread {
  limit: number;
  per?: string;
  within: string;
}

export interface StandDown {
  alarms?: number;
  blind?: string;
  by?: string;
  for?: string;
  group?: string;
  members?: string[];
  percent?: number;
  size?: number;
  within?: string;
}

export interface Start {
  cause?: Cause;
  dir?: string;
  event?: Record<string, unknown>;
  guards?: Spec[];
  metadata?: Record<string, unknown>;
  params?: Record<string, unknown>;
  program: unknown;
  request?: string;
  source?: string;
  stepping?: boolean;
}

export interface StartPlaybook {
  params?: Record<string, unknown>;
  why?: string;
}

export interface Started {
  /** Of a run that ended while it was waited for. */
  outputs?: Record<string, unknown>;
  run: string;
  /** How it ended while it was waited for; left out when it goes on. */
  status?: string;
  /** Outputs that hold something sensitive. */
  withheld?: string[];
}

export interface Status {
  driven: number;
  epoch: number;
  halted?: string;
  inFlight: number;
  index: number;
  instance: string;
  since: string;
}

export interface StepDetail {
  /** Why its output is not shown. */
  cut?: string;
  /** Its output, where that is too large to be inline. */
  large?: Record<string, unknown>;
  step: RunStep;
}

export interface Submit {
  params?: Record<string, unknown>;
  why?: string;
}

export interface Submitted {
  /** What whoever asked should know. */
  note?: string;
  request: string;
}

export interface Team {
  changes: number;
  changesLive: number;
  failed: number;
  guards: Record<string, number>;
  held: number;
  incidents: number;
  leadSeconds: number;
  mttaSeconds: number;
  mttrSeconds: number;
  observed: number;
  pagesAvoided: number;
  resolved: number;
  runs: number;
  savedMinutes: number;
  succeeded: number;
  taken: number;
  team: string;
  undeclared: number;
  verifiable: number;
  verified: number;
  versions: number;
}

export interface Token {
  expires: string;
  id: string;
  /** personal, service, session, emergency or setup. */
  kind: string;
  made: string;
  madeBy: Who;
  /** What it is for. */
  name: string;
  /** Who it stands for. */
  owner: string;
  revoked?: string;
  /** Its bounds, where it may do less than its owner. */
  scope?: Scope;
}

export interface Tokens {
  tokens: Token[];
}

export interface Trouble {
  /** fail: it does not work. warn: something else than it should be. */
  grade: "fail" | "warn";
  next?: string;
  since?: string;
  text: string;
}

export interface Unhalt {
  why?: string;
}

export interface Unhalted {
  doubts: string[];
}

export interface Verified {
  damaged: Problem[];
  entries: number;
  streams: number;
}

export interface WaitStarted {
  check?: boolean;
  deadline?: string;
  event?: string;
  key?: string;
  path: string;
  until?: string;
}

export interface Who {
  from?: string;
  id?: string;
  name: string;
  via?: string;
}

export interface Window {
  from: string;
  to: string;
  why?: string;
}

export interface Withdraw {
  why?: string;
}

export interface Would {
  action: string;
  effect: string;
  inputs?: Record<string, unknown>;
  irreversible?: boolean;
  runner?: string;
  targets?: string[];
}

/** What can be asked of the server, by the name of the operation. */
export interface Operations {
  /** Answer a task */
  answerTask: {
    path: { task: string };
    query: {};
    body: Answer;
    answer: Answered;
  };
  /** Approve a change, for guards that want one */
  approveChange: {
    path: {};
    query: {};
    body: ChangeRequest;
    answer: ApprovedChange;
  };
  /** Say who is expected to see to a task */
  assignTask: {
    path: { task: string };
    query: {};
    body: Assign;
    answer: Row;
  };
  /** Back up to a directory on the server */
  backup: {
    path: {};
    query: {};
    body: Backup;
    answer: BackedUp;
  };
  /** Give a role to some, or deny it to them */
  bind: {
    path: { name: string };
    query: { why?: string };
    body: Bind;
    answer: void;
  };
  /** Approve a task alone, whoever was asked */
  breakGlass: {
    path: { task: string };
    query: {};
    body: BreakGlass;
    answer: Answered;
  };
  /** Which secrets cannot be found where steps run */
  checkSecrets: {
    path: {};
    query: {};
    body: Secrets;
    answer: MissingSecrets;
  };
  /** See to a task */
  claimTask: {
    path: { task: string };
    query: {};
    body: Claim;
    answer: Row;
  };
  /** Cancel, pause, resume, retry, skip, roll back, … */
  commandRun: {
    path: { run: string };
    query: {};
    body: Command;
    answer: Done;
  };
  /** Say something */
  commentIncident: {
    path: { incident: string };
    query: {};
    body: Comment;
    answer: Incident;
  };
  /** Say something about a task */
  commentTask: {
    path: { task: string };
    query: {};
    body: Comment;
    answer: Row;
  };
  /** Let others answer a task in your place, once */
  delegateTask: {
    path: { task: string };
    query: {};
    body: Delegate;
    answer: Row;
  };
  /** A playbook, checked and drawn, with the places of its steps in the text */
  drawPlaybook: {
    path: { name: string };
    query: { project?: string; environment?: string; revision?: string };
    body: never;
    answer: Looked;
  };
  /** Change a text as a person would */
  editDraft: {
    path: {};
    query: {};
    body: DraftEdit;
    answer: Edited;
  };
  /** End an approved change before its time */
  endChange: {
    path: {};
    query: {};
    body: ChangeEnd;
    answer: ChangeEnd;
  };
  /** Let what was halted go on: one halt, or all of them */
  endHalts: {
    path: {};
    query: {};
    body: End;
    answer: Halts;
  };
  /** End an override before its time */
  endOverride: {
    path: {};
    query: {};
    body: End;
    answer: End;
  };
  /** The audit trail as lines of JSON */
  exportAudit: {
    path: {};
    query: { who?: string; what?: string; object?: string; project?: string; denied?: boolean; since?: string; until?: string };
    body: never;
    answer: string;
  };
  /** An incident as a Markdown document */
  exportIncident: {
    path: { incident: string };
    query: {};
    body: never;
    answer: string;
  };
  /** Follow a run live */
  followRun: {
    path: { run: string };
    query: { from?: number };
    body: never;
    answer: string;
  };
  /** Write a text in its canonical form */
  formatDraft: {
    path: {};
    query: {};
    body: Draft;
    answer: Formatted;
  };
  /** A run at a glance: how it stands and why, and each of its steps in a few words */
  glanceRun: {
    path: { run: string };
    query: {};
    body: never;
    answer: Glance;
  };
  /** Stop everything within a scope */
  halt: {
    path: {};
    query: {};
    body: HaltRequest;
    answer: Halt;
  };
  /** What playbooks were good for, by team */
  insights: {
    path: {};
    query: { since?: string; until?: string; every?: "hour" | "day" | "week"; zone?: string; compare?: boolean };
    body: never;
    answer: Insights;
  };
  /** Put a link beside a task */
  linkTask: {
    path: { task: string };
    query: {};
    body: AddLink;
    answer: Row;
  };
  /** What a step can use: actions, verbs and modules, with all that a form needs */
  listActions: {
    path: {};
    query: { name?: string };
    body: never;
    answer: Actions;
  };
  /** List who has which roles */
  listBindings: {
    path: {};
    query: {};
    body: never;
    answer: Bindings;
  };
  /** List events */
  listEvents: {
    path: {};
    query: { id?: string; prefix?: string; project?: string; status?: string[]; name?: string; parent?: string; tag?: string; since?: string; until?: string; dueBy?: string; limit?: number; cursor?: string; oldest?: boolean; cut?: number; source?: string };
    body: never;
    answer: Page;
  };
  /** What runs hand over to the asker */
  listHandovers: {
    path: {};
    query: {};
    body: never;
    answer: Handovers;
  };
  /** List incidents */
  listIncidents: {
    path: {};
    query: { id?: string; prefix?: string; project?: string; status?: string[]; name?: string; parent?: string; tag?: string; since?: string; until?: string; dueBy?: string; limit?: number; cursor?: string; oldest?: boolean; cut?: number };
    body: never;
    answer: Page;
  };
  /** What the server is connected to, how it stands, and what to do about it */
  listIntegrations: {
    path: {};
    query: {};
    body: never;
    answer: Connections;
  };
  /** List messages to people and services, with what became of each */
  listMessages: {
    path: {};
    query: { id?: string; prefix?: string; project?: string; status?: string[]; name?: string; parent?: string; tag?: string; since?: string; until?: string; dueBy?: string; limit?: number; cursor?: string; oldest?: boolean; cut?: number };
    body: never;
    answer: Page;
  };
  /** What is offered to the asker */
  listOffers: {
    path: {};
    query: {};
    body: never;
    answer: Offers;
  };
  /** The playbooks that are live */
  listPlaybooks: {
    path: {};
    query: {};
    body: never;
    answer: Playbooks;
  };
  /** Where playbooks come from: what is live, and why not what is newer */
  listRepositories: {
    path: {};
    query: {};
    body: never;
    answer: Repositories;
  };
  /** What the asker asked for */
  listRequests: {
    path: {};
    query: { limit?: number; cursor?: string; oldest?: boolean };
    body: never;
    answer: Requests;
  };
  /** The revisions of a repository that are remembered */
  listRevisions: {
    path: { repository: string };
    query: { limit?: number };
    body: never;
    answer: Revisions;
  };
  /** List rows of any kind: locks, guards' counts, waiting events */
  listRows: {
    path: { kind: string };
    query: { id?: string; prefix?: string; project?: string; status?: string[]; name?: string; parent?: string; tag?: string; since?: string; until?: string; dueBy?: string; limit?: number; cursor?: string; oldest?: boolean; cut?: number };
    body: never;
    answer: Page;
  };
  /** List runs */
  listRuns: {
    path: {};
    query: { id?: string; prefix?: string; project?: string; status?: string[]; name?: string; parent?: string; tag?: string; since?: string; until?: string; dueBy?: string; limit?: number; cursor?: string; oldest?: boolean; cut?: number };
    body: never;
    answer: Page;
  };
  /** List tasks */
  listTasks: {
    path: {};
    query: { id?: string; prefix?: string; project?: string; status?: string[]; name?: string; parent?: string; tag?: string; since?: string; until?: string; dueBy?: string; limit?: number; cursor?: string; oldest?: boolean; cut?: number };
    body: never;
    answer: Page;
  };
  /** List tokens and sessions */
  listTokens: {
    path: {};
    query: { all?: boolean };
    body: never;
    answer: Tokens;
  };
  /** Hear when something changes */
  live: {
    path: {};
    query: {};
    body: never;
    answer: string;
  };
  /** The same, and a run as it goes on */
  liveRun: {
    path: { run: string };
    query: {};
    body: never;
    answer: string;
  };
  /** Check a text and draw it */
  lookAtDraft: {
    path: {};
    query: {};
    body: Draft;
    answer: Looked;
  };
  /** Look at a repository now */
  lookAtRepository: {
    path: { repository: string };
    query: {};
    body: never;
    answer: Repository;
  };
  /** Make a token */
  makeToken: {
    path: {};
    query: {};
    body: MakeToken;
    answer: Made;
  };
  /** Who asks, as the server knows them */
  me: {
    path: {};
    query: {};
    body: never;
    answer: Me;
  };
  /** Let another incident tell the story of this one */
  mergeIncident: {
    path: { incident: string };
    query: {};
    body: IncidentMerge;
    answer: Incident;
  };
  /** Open an incident */
  openIncident: {
    path: {};
    query: {};
    body: IncidentOpen;
    answer: Incident;
  };
  /** Loosen a guard for a while */
  override: {
    path: {};
    query: {};
    body: OverrideRequest;
    answer: Override;
  };
  /** Call people */
  pageIncident: {
    path: { incident: string };
    query: {};
    body: PageOut;
    answer: Incident;
  };
  /** Keep one revision live, whatever comes */
  pinRevision: {
    path: { repository: string };
    query: {};
    body: PinRequest;
    answer: Repository;
  };
  /** Say what a run of a text would do */
  planDraft: {
    path: {};
    query: {};
    body: DraftPlan;
    answer: Plan;
  };
  /** Add something to do afterwards, or change it */
  planIncident: {
    path: { incident: string };
    query: {};
    body: ActionItem;
    answer: Incident;
  };
  /** The triggers that start a playbook, the guards that can stop it, and its tests */
  playbookAround: {
    path: { name: string };
    query: { project?: string; environment?: string };
    body: never;
    answer: Around;
  };
  /** How the playbooks fared in their last runs */
  playbookRecords: {
    path: {};
    query: { runs?: number; name?: string };
    body: never;
    answer: PlaybookRecords;
  };
  /** The text of a playbook, with its file and revision */
  playbookSource: {
    path: { name: string };
    query: { project?: string; environment?: string; revision?: string };
    body: never;
    answer: PlaybookSource;
  };
  /** The revisions in which a playbook changed, each with its text */
  playbookVersions: {
    path: { name: string };
    query: { project?: string; environment?: string };
    body: never;
    answer: PlaybookVersions;
  };
  /** Ask for a change to be reviewed: a new branch, or a patch */
  proposeChange: {
    path: { repository: string };
    query: {};
    body: Propose;
    answer: Proposed;
  };
  /** The entries of any stream */
  readStream: {
    path: { stream: string };
    query: { from?: number; limit?: number };
    body: never;
    answer: Entries;
  };
  /** Take the end of an incident back */
  reopenIncident: {
    path: { incident: string };
    query: {};
    body: Reason;
    answer: Incident;
  };
  /** Decide about an event again */
  replayEvent: {
    path: { event: string };
    query: {};
    body: Replay;
    answer: Receipt;
  };
  /** Tell of events by hand */
  reportEvents: {
    path: {};
    query: {};
    body: Reports;
    answer: Receipts;
  };
  /** The story of a run as one HTML file that needs nothing else */
  reportRun: {
    path: { run: string };
    query: {};
    body: never;
    answer: string;
  };
  /** The files that are read of a repository */
  repositoryFiles: {
    path: { repository: string };
    query: { revision?: string; file?: string };
    body: never;
    answer: SourceFiles;
  };
  /** End an incident */
  resolveIncident: {
    path: { incident: string };
    query: {};
    body: Reason;
    answer: Incident;
  };
  /** Revoke a token or a session */
  revokeToken: {
    path: { token: string };
    query: { why?: string };
    body: never;
    answer: void;
  };
  /** Pin the revision that was live before */
  rollbackRevision: {
    path: { repository: string };
    query: {};
    body: Reason;
    answer: Repository;
  };
  /** What may stop an effect now: guards, modes, halts, overrides */
  rules: {
    path: {};
    query: {};
    body: never;
    answer: Rules;
  };
  /** A large output, a log or an artifact, as an entry names it */
  runBlob: {
    path: { run: string; blob: string };
    query: { salt?: string; size?: number; sum?: string };
    body: never;
    answer: string;
  };
  /** The entries of a run */
  runEntries: {
    path: { run: string };
    query: { from?: number; limit?: number };
    body: never;
    answer: Entries;
  };
  /** The playbook of a run, laid out: boxes on a grid and the lines between them */
  runGraph: {
    path: { run: string };
    query: {};
    body: never;
    answer: Layout;
  };
  /** What an attempt of a step printed */
  runLog: {
    path: { run: string };
    query: { path: string; attempt?: number };
    body: never;
    answer: string;
  };
  /** The compiled playbook that a run is pinned to */
  runProgram: {
    path: { run: string };
    query: {};
    body: never;
    answer: string;
  };
  /** One step of a run: what it was given and gave, its attempts, what was asked about it */
  runStep: {
    path: { run: string };
    query: { path: string };
    body: never;
    answer: StepDetail;
  };
  /** Make the emergency token, for the day on which nobody can sign on otherwise */
  sealEmergency: {
    path: {};
    query: {};
    body: never;
    answer: Sealed;
  };
  /** Find everything by name, id, label or status */
  search: {
    path: {};
    query: { q: string; limit?: number };
    body: never;
    answer: Found;
  };
  /** Who did what, from where and why */
  searchAudit: {
    path: {};
    query: { who?: string; what?: string; object?: string; project?: string; denied?: boolean; since?: string; until?: string; limit?: number; cursor?: string };
    body: never;
    answer: AuditPage;
  };
  /** Wake the runs that wait for an event */
  sendEvent: {
    path: {};
    query: {};
    body: Send;
    answer: Sent;
  };
  /** Set what becomes of mutations: observe, ask or auto */
  setMode: {
    path: {};
    query: {};
    body: ModeRequest;
    answer: Mode;
  };
  /** One event, with its data and what became of it */
  showEvent: {
    path: { event: string };
    query: {};
    body: never;
    answer: EventDetail;
  };
  /** One incident, with its alerts, runs and timeline */
  showIncident: {
    path: { incident: string };
    query: {};
    body: never;
    answer: Incident;
  };
  /** One playbook, with its parameters and outputs */
  showPlaybook: {
    path: { name: string };
    query: { project?: string; environment?: string };
    body: never;
    answer: Playbook;
  };
  /** One request of the asker, with the outputs that the offer declares */
  showRequest: {
    path: { id: string };
    query: {};
    body: never;
    answer: Request;
  };
  /** One run */
  showRun: {
    path: { run: string };
    query: {};
    body: never;
    answer: Row;
  };
  /** One task */
  showTask: {
    path: { task: string };
    query: {};
    body: never;
    answer: Row;
  };
  /** Exchange the code of a sign-on in a browser for a token */
  signOnByCode: {
    path: {};
    query: {};
    body: SignOnCode;
    answer: Made;
  };
  /** Exchange a one-time token for one that lasts */
  signOnOnce: {
    path: {};
    query: {};
    body: SignOn;
    answer: Made;
  };
  /** The first draft of a playbook for an event, with its trigger */
  sketchPlaybook: {
    path: { event: string };
    query: { name?: string };
    body: never;
    answer: Sketch;
  };
  /** Make some alerts an incident of their own */
  splitIncident: {
    path: { incident: string };
    query: {};
    body: IncidentSplit;
    answer: Incident;
  };
  /** Start a live playbook */
  startPlaybook: {
    path: { name: string };
    query: { project?: string; environment?: string; wait?: string };
    body: StartPlaybook;
    answer: Started;
  };
  /** Start a run */
  startRun: {
    path: {};
    query: {};
    body: Start;
    answer: Started;
  };
  /** The engine: commits, what it drives, whether it is halted */
  status: {
    path: {};
    query: {};
    body: never;
    answer: Status;
  };
  /** Ask for what is offered */
  submitRequest: {
    path: { name: string };
    query: { project?: string; environment?: string };
    body: Submit;
    answer: Submitted;
  };
  /** Take what is handed over */
  takeHandover: {
    path: { id: string };
    query: {};
    body: never;
    answer: Handed;
  };
  /** Acknowledge an incident, and be one of its responders */
  takeIncident: {
    path: { incident: string };
    query: {};
    body: never;
    answer: Incident;
  };
  /** The entries of a task */
  taskEntries: {
    path: { task: string };
    query: { from?: number; limit?: number };
    body: never;
    answer: Entries;
  };
  /** Take a binding away */
  unbind: {
    path: { name: string };
    query: { why?: string };
    body: never;
    answer: void;
  };
  /** Take your delegation of a task back */
  undelegateTask: {
    path: { task: string };
    query: { why?: string };
    body: never;
    answer: Row;
  };
  /** Let a halted store move again */
  unhalt: {
    path: {};
    query: {};
    body: Unhalt;
    answer: Unhalted;
  };
  /** Follow the newest good revision again */
  unpinRevision: {
    path: { repository: string };
    query: {};
    body: Reason;
    answer: Repository;
  };
  /** Change an incident */
  updateIncident: {
    path: { incident: string };
    query: {};
    body: IncidentChange;
    answer: Incident;
  };
  /** Read and verify everything */
  verify: {
    path: {};
    query: {};
    body: never;
    answer: Verified;
  };
  /** Verify the audit trail */
  verifyAudit: {
    path: {};
    query: {};
    body: never;
    answer: AuditVerified;
  };
  /** Take back what nobody has taken yet */
  withdrawHandover: {
    path: { id: string };
    query: {};
    body: Withdraw;
    answer: void;
  };
}

/** Where each operation is. */
export const ways = {
  answerTask: 'POST /v1/tasks/{task}/answers',
  approveChange: 'POST /v1/changes',
  assignTask: 'PUT /v1/tasks/{task}/assignee',
  backup: 'POST /v1/backup',
  bind: 'PUT /v1/bindings/{name}',
  breakGlass: 'POST /v1/tasks/{task}/break-glass',
  checkSecrets: 'POST /v1/secrets/check',
  claimTask: 'POST /v1/tasks/{task}/claims',
  commandRun: 'POST /v1/runs/{run}/commands',
  commentIncident: 'POST /v1/incidents/{incident}/comments',
  commentTask: 'POST /v1/tasks/{task}/comments',
  delegateTask: 'POST /v1/tasks/{task}/delegations',
  drawPlaybook: 'GET /v1/playbooks/{name}/drawing',
  editDraft: 'POST /v1/drafts/edit',
  endChange: 'POST /v1/changes/end',
  endHalts: 'POST /v1/halts/end',
  endOverride: 'POST /v1/overrides/end',
  exportAudit: 'GET /v1/audit/export',
  exportIncident: 'GET /v1/incidents/{incident}/export',
  followRun: 'GET /v1/runs/{run}/follow',
  formatDraft: 'POST /v1/drafts/format',
  glanceRun: 'GET /v1/runs/{run}/glance',
  halt: 'POST /v1/halts',
  insights: 'GET /v1/insights',
  linkTask: 'POST /v1/tasks/{task}/links',
  listActions: 'GET /v1/actions',
  listBindings: 'GET /v1/bindings',
  listEvents: 'GET /v1/events',
  listHandovers: 'GET /v1/handovers',
  listIncidents: 'GET /v1/incidents',
  listIntegrations: 'GET /v1/integrations',
  listMessages: 'GET /v1/messages',
  listOffers: 'GET /v1/offers',
  listPlaybooks: 'GET /v1/playbooks',
  listRepositories: 'GET /v1/repositories',
  listRequests: 'GET /v1/requests',
  listRevisions: 'GET /v1/repositories/{repository}/revisions',
  listRows: 'GET /v1/rows/{kind}',
  listRuns: 'GET /v1/runs',
  listTasks: 'GET /v1/tasks',
  listTokens: 'GET /v1/tokens',
  live: 'GET /v1/live',
  liveRun: 'GET /v1/runs/{run}/live',
  lookAtDraft: 'POST /v1/drafts/look',
  lookAtRepository: 'POST /v1/repositories/{repository}/look',
  makeToken: 'POST /v1/tokens',
  me: 'GET /v1/me',
  mergeIncident: 'POST /v1/incidents/{incident}/merge',
  openIncident: 'POST /v1/incidents',
  override: 'POST /v1/overrides',
  pageIncident: 'POST /v1/incidents/{incident}/pages',
  pinRevision: 'POST /v1/repositories/{repository}/pin',
  planDraft: 'POST /v1/drafts/plan',
  planIncident: 'POST /v1/incidents/{incident}/items',
  playbookAround: 'GET /v1/playbooks/{name}/around',
  playbookRecords: 'GET /v1/records',
  playbookSource: 'GET /v1/playbooks/{name}/source',
  playbookVersions: 'GET /v1/playbooks/{name}/versions',
  proposeChange: 'POST /v1/repositories/{repository}/proposals',
  readStream: 'GET /v1/streams/{stream}',
  reopenIncident: 'POST /v1/incidents/{incident}/reopen',
  replayEvent: 'POST /v1/events/{event}/replay',
  reportEvents: 'POST /v1/events/reports',
  reportRun: 'GET /v1/runs/{run}/report',
  repositoryFiles: 'GET /v1/repositories/{repository}/files',
  resolveIncident: 'POST /v1/incidents/{incident}/resolve',
  revokeToken: 'DELETE /v1/tokens/{token}',
  rollbackRevision: 'POST /v1/repositories/{repository}/rollback',
  rules: 'GET /v1/rules',
  runBlob: 'GET /v1/runs/{run}/blobs/{blob}',
  runEntries: 'GET /v1/runs/{run}/entries',
  runGraph: 'GET /v1/runs/{run}/graph',
  runLog: 'GET /v1/runs/{run}/log',
  runProgram: 'GET /v1/runs/{run}/program',
  runStep: 'GET /v1/runs/{run}/step',
  sealEmergency: 'POST /v1/emergency',
  search: 'GET /v1/search',
  searchAudit: 'GET /v1/audit',
  sendEvent: 'POST /v1/events',
  setMode: 'PUT /v1/modes',
  showEvent: 'GET /v1/events/{event}',
  showIncident: 'GET /v1/incidents/{incident}',
  showPlaybook: 'GET /v1/playbooks/{name}',
  showRequest: 'GET /v1/requests/{id}',
  showRun: 'GET /v1/runs/{run}',
  showTask: 'GET /v1/tasks/{task}',
  signOnByCode: 'POST /v1/sign-on/code',
  signOnOnce: 'POST /v1/sign-on',
  sketchPlaybook: 'GET /v1/events/{event}/sketch',
  splitIncident: 'POST /v1/incidents/{incident}/split',
  startPlaybook: 'POST /v1/playbooks/{name}/runs',
  startRun: 'POST /v1/runs',
  status: 'GET /v1/status',
  submitRequest: 'POST /v1/offers/{name}/requests',
  takeHandover: 'POST /v1/handovers/{id}/take',
  takeIncident: 'POST /v1/incidents/{incident}/take',
  taskEntries: 'GET /v1/tasks/{task}/entries',
  unbind: 'DELETE /v1/bindings/{name}',
  undelegateTask: 'DELETE /v1/tasks/{task}/delegations',
  unhalt: 'POST /v1/unhalt',
  unpinRevision: 'POST /v1/repositories/{repository}/unpin',
  updateIncident: 'PATCH /v1/incidents/{incident}',
  verify: 'POST /v1/verify',
  verifyAudit: 'POST /v1/audit/verify',
  withdrawHandover: 'POST /v1/handovers/{id}/withdraw',
} as const satisfies Record<keyof Operations, string>;
