package e2e

import (
	"testing"

	"github.com/tidemark-log/tidemark/e2e/stage"
)

func TestMain(m *testing.M) { stage.Main(m) }
