package field

import "testing"

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		reason string
		want   ReasonClass
	}{
		{"", UnknownReason}, {"token_expired", ExpiredReason}, {"acl_denied", PermissionReason}, {"invalid_client", ClientReason}, {"step_up_required", StepUpReason},
		{"unknown_key", KeyReason}, {"identity_provider_down", UnavailableReason}, {"denied_by_authorizer", AuthorizerReason},
		{"The JWT has expired at 12:03", ExpiredReason}, {"Jwks doesn't have key", KeyReason}, {"JWKS fetch timed out", UnavailableReason},
		{"user bob: password mismatch", CredentialsReason}, {"AH01630: client denied by server configuration", PermissionReason},
		{"account is locked", AccountReason}, {"no user/password was provided for basic authentication", MissingReason},
		{"invalid audience", ConfigReason}, {"token used before issued: clock skew", ClockReason},
		{`Bearer realm="expired things"`, UnknownReason}, {"Negotiate", UnknownReason}, {"E4711", UnknownReason},
	} {
		if got := ClassOf(c.reason); got != c.want {
			t.Errorf("%q has class %v, want %v", c.reason, got, c.want)
		}
	}
}

// TestReasonClassesAreComplete checks that every word of the vocabulary has a class, and
// that the word of a class has that class.
func TestReasonClassesAreComplete(t *testing.T) {
	for text, word := range reasonWords {
		if word != "" && !IsReason(word) {
			t.Errorf("%s becomes %s, which has no class", text, word)
		}
	}
	for c := UnknownReason + 1; c < NumReasonClasses; c++ {
		if ClassOf(c.Word()) != c || c.String() == "" {
			t.Errorf("class %q has the word %q of class %v", c, c.Word(), ClassOf(c.Word()))
		}
	}
}
