package kafka

import (
	"encoding/base64"
	"fmt"
)

// DirectoryID names a log directory for ever, as Kafka's meta.properties does. A replaced disk has
// another one, and so is known to hold nothing of what the old one held.
type DirectoryID [16]byte

// String is the 22 characters Kafka prints: base64url without padding.
func (d DirectoryID) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// IsZero tells the absent id.
func (d DirectoryID) IsZero() bool { return d == DirectoryID{} }

// ParseDirectoryID reads what String wrote.
func ParseDirectoryID(s string) (DirectoryID, error) {
	var id DirectoryID
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("kafka: directory id %q: want 22 characters of base64url", s)
	}
	copy(id[:], b)
	return id, nil
}
