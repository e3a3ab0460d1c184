package entry

// Kind names a fact.
type Kind string

// Payload is the content of an entry.
type Payload interface{ Kind() Kind }

// The kinds of entries.
const (
	KindRunCreated        Kind = "run-created"
	KindRunCarried        Kind = "run-carried"
	KindRunStarted        Kind = "run-started"
	KindRunInterrupted    Kind = "run-interrupted"
	KindRunResumed        Kind = "run-resumed"
	KindRunRestored       Kind = "run-restored"
	KindRunPaused         Kind = "run-paused"
	KindRunUnpaused       Kind = "run-unpaused"
	KindCancelRequested   Kind = "cancel-requested"
	KindParamsChanged     Kind = "params-changed"
	KindStepPermitted     Kind = "step-permitted"
	KindSkipRequested     Kind = "skip-requested"
	KindCondition         Kind = "condition"
	KindLoopListed        Kind = "loop-listed"
	KindIterationStarted  Kind = "iteration-started"
	KindStepHeld          Kind = "step-held"
	KindStepRefused       Kind = "step-refused"
	KindStepSkipped       Kind = "step-skipped"
	KindStepIntent        Kind = "step-intent"
	KindStepResult        Kind = "step-result"
	KindRetryScheduled    Kind = "retry-scheduled"
	KindStepVerified      Kind = "step-verified"
	KindApprovalAsked     Kind = "approval-asked"
	KindApprovalVoid      Kind = "approval-void"
	KindDoubtAsked        Kind = "doubt-asked"
	KindDoubtDecided      Kind = "doubt-decided"
	KindTaskOpened        Kind = "task-opened"
	KindTaskDecided       Kind = "task-decided"
	KindWaitStarted       Kind = "wait-started"
	KindWaitEnded         Kind = "wait-ended"
	KindChildStarted      Kind = "child-started"
	KindChildEnded        Kind = "child-ended"
	KindLockAsked         Kind = "lock-asked"
	KindLockTaken         Kind = "lock-taken"
	KindLockReleased      Kind = "lock-released"
	KindBlockStarted      Kind = "block-started"
	KindCatchEntered      Kind = "catch-entered"
	KindFinallyEntered    Kind = "finally-entered"
	KindBlockEnded        Kind = "block-ended"
	KindBlockStopped      Kind = "block-stopped"
	KindUndoPrepared      Kind = "undo-prepared"
	KindUndoStarted       Kind = "undo-started"
	KindUndoEnded         Kind = "undo-ended"
	KindRunEnded          Kind = "run-ended"
	KindRunQuarantined    Kind = "run-quarantined"
	KindTaskCreated       Kind = "task-created"
	KindTaskVoted         Kind = "task-voted"
	KindTaskClosed        Kind = "task-closed"
	KindTaskAssigned      Kind = "task-assigned"
	KindTaskDelegated     Kind = "task-delegated"
	KindTaskCommented     Kind = "task-commented"
	KindTaskLinked        Kind = "task-linked"
	KindTaskEscalated     Kind = "task-escalated"
	KindGuardReserved     Kind = "guard-reserved"
	KindAudited           Kind = "audited"
	KindRunSealed         Kind = "run-sealed"
	KindEventReceived     Kind = "event-received"
	KindEventDecided      Kind = "event-decided"
	KindIncidentOpened    Kind = "incident-opened"
	KindIncidentJoined    Kind = "incident-joined"
	KindIncidentUpdated   Kind = "incident-updated"
	KindIncidentCommented Kind = "incident-commented"
	KindIncidentPaged     Kind = "incident-paged"
	KindIncidentMerged    Kind = "incident-merged"
	KindIncidentSplit     Kind = "incident-split"
	KindIncidentResolved  Kind = "incident-resolved"
	KindIncidentReopened  Kind = "incident-reopened"
	KindIncidentRan       Kind = "incident-ran"
	KindIncidentItem      Kind = "incident-item"
	KindIncidentReminded  Kind = "incident-reminded"
	KindMessageQueued     Kind = "message-queued"
	KindMessageSent       Kind = "message-sent"
	KindMessageFailed     Kind = "message-failed"
	KindMessageDropped    Kind = "message-dropped"
	KindScheduleTicked    Kind = "schedule-ticked"
	KindAccessDecided     Kind = "access-decided"
)

// kinds is the one visible list of kinds: a new entry adds its line here.
var kinds = map[Kind]func() Payload{
	KindRunCreated:        func() Payload { return new(RunCreated) },
	KindRunCarried:        func() Payload { return new(RunCarried) },
	KindRunStarted:        func() Payload { return new(RunStarted) },
	KindRunInterrupted:    func() Payload { return new(RunInterrupted) },
	KindRunResumed:        func() Payload { return new(RunResumed) },
	KindRunRestored:       func() Payload { return new(RunRestored) },
	KindRunPaused:         func() Payload { return new(RunPaused) },
	KindRunUnpaused:       func() Payload { return new(RunUnpaused) },
	KindCancelRequested:   func() Payload { return new(CancelRequested) },
	KindParamsChanged:     func() Payload { return new(ParamsChanged) },
	KindStepPermitted:     func() Payload { return new(StepPermitted) },
	KindSkipRequested:     func() Payload { return new(SkipRequested) },
	KindCondition:         func() Payload { return new(Condition) },
	KindLoopListed:        func() Payload { return new(LoopListed) },
	KindIterationStarted:  func() Payload { return new(IterationStarted) },
	KindStepHeld:          func() Payload { return new(StepHeld) },
	KindStepRefused:       func() Payload { return new(StepRefused) },
	KindStepSkipped:       func() Payload { return new(StepSkipped) },
	KindStepIntent:        func() Payload { return new(StepIntent) },
	KindStepResult:        func() Payload { return new(StepResult) },
	KindRetryScheduled:    func() Payload { return new(RetryScheduled) },
	KindStepVerified:      func() Payload { return new(StepVerified) },
	KindApprovalAsked:     func() Payload { return new(ApprovalAsked) },
	KindApprovalVoid:      func() Payload { return new(ApprovalVoid) },
	KindDoubtAsked:        func() Payload { return new(DoubtAsked) },
	KindDoubtDecided:      func() Payload { return new(DoubtDecided) },
	KindTaskOpened:        func() Payload { return new(TaskOpened) },
	KindTaskDecided:       func() Payload { return new(TaskDecided) },
	KindWaitStarted:       func() Payload { return new(WaitStarted) },
	KindWaitEnded:         func() Payload { return new(WaitEnded) },
	KindChildStarted:      func() Payload { return new(ChildStarted) },
	KindChildEnded:        func() Payload { return new(ChildEnded) },
	KindLockAsked:         func() Payload { return new(LockAsked) },
	KindLockTaken:         func() Payload { return new(LockTaken) },
	KindLockReleased:      func() Payload { return new(LockReleased) },
	KindBlockStarted:      func() Payload { return new(BlockStarted) },
	KindCatchEntered:      func() Payload { return new(CatchEntered) },
	KindFinallyEntered:    func() Payload { return new(FinallyEntered) },
	KindBlockEnded:        func() Payload { return new(BlockEnded) },
	KindBlockStopped:      func() Payload { return new(BlockStopped) },
	KindUndoPrepared:      func() Payload { return new(UndoPrepared) },
	KindUndoStarted:       func() Payload { return new(UndoStarted) },
	KindUndoEnded:         func() Payload { return new(UndoEnded) },
	KindRunEnded:          func() Payload { return new(RunEnded) },
	KindRunQuarantined:    func() Payload { return new(RunQuarantined) },
	KindTaskCreated:       func() Payload { return new(TaskCreated) },
	KindTaskVoted:         func() Payload { return new(TaskVoted) },
	KindTaskClosed:        func() Payload { return new(TaskClosed) },
	KindTaskAssigned:      func() Payload { return new(TaskAssigned) },
	KindTaskDelegated:     func() Payload { return new(TaskDelegated) },
	KindTaskCommented:     func() Payload { return new(TaskCommented) },
	KindTaskLinked:        func() Payload { return new(TaskLinked) },
	KindTaskEscalated:     func() Payload { return new(TaskEscalated) },
	KindGuardReserved:     func() Payload { return new(GuardReserved) },
	KindAudited:           func() Payload { return new(Audited) },
	KindRunSealed:         func() Payload { return new(RunSealed) },
	KindEventReceived:     func() Payload { return new(EventReceived) },
	KindEventDecided:      func() Payload { return new(EventDecided) },
	KindIncidentOpened:    func() Payload { return new(IncidentOpened) },
	KindIncidentJoined:    func() Payload { return new(IncidentJoined) },
	KindIncidentUpdated:   func() Payload { return new(IncidentUpdated) },
	KindIncidentCommented: func() Payload { return new(IncidentCommented) },
	KindIncidentPaged:     func() Payload { return new(IncidentPaged) },
	KindIncidentMerged:    func() Payload { return new(IncidentMerged) },
	KindIncidentSplit:     func() Payload { return new(IncidentSplit) },
	KindIncidentResolved:  func() Payload { return new(IncidentResolved) },
	KindIncidentReopened:  func() Payload { return new(IncidentReopened) },
	KindIncidentRan:       func() Payload { return new(IncidentRan) },
	KindIncidentItem:      func() Payload { return new(IncidentItem) },
	KindIncidentReminded:  func() Payload { return new(IncidentReminded) },
	KindMessageQueued:     func() Payload { return new(MessageQueued) },
	KindMessageSent:       func() Payload { return new(MessageSent) },
	KindMessageFailed:     func() Payload { return new(MessageFailed) },
	KindMessageDropped:    func() Payload { return new(MessageDropped) },
	KindScheduleTicked:    func() Payload { return new(ScheduleTicked) },
	KindAccessDecided:     func() Payload { return new(AccessDecided) },
}

// Kind implements Payload.
func (*RunCreated) Kind() Kind { return KindRunCreated }

// Kind implements Payload.
func (*RunCarried) Kind() Kind { return KindRunCarried }

// Kind implements Payload.
func (*RunStarted) Kind() Kind { return KindRunStarted }

// Kind implements Payload.
func (*RunInterrupted) Kind() Kind { return KindRunInterrupted }

// Kind implements Payload.
func (*RunResumed) Kind() Kind { return KindRunResumed }

// Kind implements Payload.
func (*RunPaused) Kind() Kind { return KindRunPaused }

// Kind implements Payload.
func (*RunUnpaused) Kind() Kind { return KindRunUnpaused }

// Kind implements Payload.
func (*CancelRequested) Kind() Kind { return KindCancelRequested }

// Kind implements Payload.
func (*ParamsChanged) Kind() Kind { return KindParamsChanged }

// Kind implements Payload.
func (*StepPermitted) Kind() Kind { return KindStepPermitted }

// Kind implements Payload.
func (*SkipRequested) Kind() Kind { return KindSkipRequested }

// Kind implements Payload.
func (*Condition) Kind() Kind { return KindCondition }

// Kind implements Payload.
func (*LoopListed) Kind() Kind { return KindLoopListed }

// Kind implements Payload.
func (*IterationStarted) Kind() Kind { return KindIterationStarted }

// Kind implements Payload.
func (*StepHeld) Kind() Kind { return KindStepHeld }

// Kind implements Payload.
func (*StepRefused) Kind() Kind { return KindStepRefused }

// Kind implements Payload.
func (*StepSkipped) Kind() Kind { return KindStepSkipped }

// Kind implements Payload.
func (*StepIntent) Kind() Kind { return KindStepIntent }

// Kind implements Payload.
func (*StepResult) Kind() Kind { return KindStepResult }

// Kind implements Payload.
func (*RetryScheduled) Kind() Kind { return KindRetryScheduled }

// Kind implements Payload.
func (*StepVerified) Kind() Kind { return KindStepVerified }

// Kind implements Payload.
func (*ApprovalAsked) Kind() Kind { return KindApprovalAsked }

// Kind implements Payload.
func (*ApprovalVoid) Kind() Kind { return KindApprovalVoid }

// Kind implements Payload.
func (*DoubtAsked) Kind() Kind { return KindDoubtAsked }

// Kind implements Payload.
func (*DoubtDecided) Kind() Kind { return KindDoubtDecided }

// Kind implements Payload.
func (*TaskOpened) Kind() Kind { return KindTaskOpened }

// Kind implements Payload.
func (*TaskDecided) Kind() Kind { return KindTaskDecided }

// Kind implements Payload.
func (*WaitStarted) Kind() Kind { return KindWaitStarted }

// Kind implements Payload.
func (*WaitEnded) Kind() Kind { return KindWaitEnded }

// Kind implements Payload.
func (*ChildStarted) Kind() Kind { return KindChildStarted }

// Kind implements Payload.
func (*ChildEnded) Kind() Kind { return KindChildEnded }

// Kind implements Payload.
func (*LockAsked) Kind() Kind { return KindLockAsked }

// Kind implements Payload.
func (*LockTaken) Kind() Kind { return KindLockTaken }

// Kind implements Payload.
func (*LockReleased) Kind() Kind { return KindLockReleased }

// Kind implements Payload.
func (*CatchEntered) Kind() Kind { return KindCatchEntered }

// Kind implements Payload.
func (*FinallyEntered) Kind() Kind { return KindFinallyEntered }

// Kind implements Payload.
func (*BlockEnded) Kind() Kind { return KindBlockEnded }

// Kind implements Payload.
func (*BlockStopped) Kind() Kind { return KindBlockStopped }

// Kind implements Payload.
func (*UndoPrepared) Kind() Kind { return KindUndoPrepared }

// Kind implements Payload.
func (*UndoStarted) Kind() Kind { return KindUndoStarted }

// Kind implements Payload.
func (*UndoEnded) Kind() Kind { return KindUndoEnded }

// Kind implements Payload.
func (*RunEnded) Kind() Kind { return KindRunEnded }

// Kind implements Payload.
func (*RunQuarantined) Kind() Kind { return KindRunQuarantined }

// Kind implements Payload.
func (*TaskCreated) Kind() Kind { return KindTaskCreated }

// Kind implements Payload.
func (*TaskVoted) Kind() Kind { return KindTaskVoted }

// Kind implements Payload.
func (*TaskClosed) Kind() Kind { return KindTaskClosed }

// Kind implements Payload.
func (*TaskAssigned) Kind() Kind { return KindTaskAssigned }

// Kind implements Payload.
func (*TaskDelegated) Kind() Kind { return KindTaskDelegated }

// Kind implements Payload.
func (*TaskCommented) Kind() Kind { return KindTaskCommented }

// Kind implements Payload.
func (*TaskLinked) Kind() Kind { return KindTaskLinked }

// Kind implements Payload.
func (*TaskEscalated) Kind() Kind { return KindTaskEscalated }

// Kind implements Payload.
func (*GuardReserved) Kind() Kind { return KindGuardReserved }

// Kind implements Payload.
func (*Audited) Kind() Kind { return KindAudited }

// Kind implements Payload.
func (*RunSealed) Kind() Kind { return KindRunSealed }

// Kind implements Payload.
func (*BlockStarted) Kind() Kind { return KindBlockStarted }

// Kind implements Payload.
func (*RunRestored) Kind() Kind { return KindRunRestored }
