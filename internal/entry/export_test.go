package entry

// Kinds is the list of kinds, for tests.
func Kinds() map[Kind]func() Payload { return kinds }
