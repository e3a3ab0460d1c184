package catalog

// Covers is for tests.
var Covers = covers
