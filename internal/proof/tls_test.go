package proof_test

import (
	"encoding/pem"
	"net/http/httptest"
)

// certificate gives a server's certificate as PEM.
func certificate(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}
