package events

import (
	"bytes"
	"time"
)

// Logs of what runs on clusters and signs people and programs in: Kubernetes' API server, Argo
// CD, Harbor and Vault.

// readKubernetes reads a line of klog about a request that could not be authenticated: a letter
// for the level, month and day, the time, the process, and the place in the source.
func readKubernetes(line []byte, e *Event) bool {
	var c captures
	if !shaped(line, "A0000 00:00:00.000000 ") || !kubernetesHeader.match(line, &c) {
		return false
	}
	c.set(e)
	if month := int(line[1]-'0')*10 + int(line[2]-'0'); month >= 1 && month <= 12 {
		at := append(e.memory.Grow(24), time.Month(month).String()[:3]...)
		at = append(append(at, ' '), line[3:len("E0309 14:05:00")]...)
		e.Yearless = e.memory.Keep(at)
	}
	if message := e.Message; kubernetesRules.read(message, e) {
		e.specify(firstSign(kubernetesSigns, message))
		e.Message = message
	}
	return true
}

// kubernetesHeader is the beginning of a line of klog.
var kubernetesHeader = newTemplate(`{word} {mark}.go:{digits}] {message}`)

// kubernetesRules are messages of the API server, and of what asks it about tokens. Source:
// kubernetes/kubernetes, staging/src/k8s.io/apiserver/pkg/endpoints/filters/authentication.go.
var kubernetesRules = newRules(
	rule{`"Unable to authenticate the request" err="{reason}"`, Refused, "invalid_token", 401},
	rule{`Unable to authenticate the request due to an error: {reason}`, Refused, "invalid_token", 401},
)

// kubernetesSigns are parts of the errors of its authenticators that mean something else
// elsewhere. A certificate that has expired is the client's.
var kubernetesSigns = []sign{
	{"certificate has expired", "token_expired"}, {"signed by unknown authority", "unknown_key"}, {"cryptographic primitive", "unknown_key"}, {"has been invalidated", "invalid_token"},
}

// argoCD is the log of Argo CD's server, logfmt or JSON lines.
var argoCD = keyed{
	paths: []path{
		{"time", slotTime}, {"level", slotLevel}, {"msg", slotMessage}, {"error", slotReason}, {"grpc.code", slotStatus}, {"grpc.service", slotMark}, {"grpc.method", slotMore},
	},
	needs: []slot{slotTime, slotLevel, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if argoRules.read(c[slotMessage], e) {
			e.Message = c[slotMessage]
			return true
		}
		if string(c[slotStatus]) == "Unauthenticated" {
			e.refuse(c[slotReason], argoSigns, "invalid_session")
			e.Status = 401
		}
		return c[slotMark] != nil
	},
}

// argoRules are messages of Argo CD. Source: argoproj/argo-cd, util/session.
var argoRules = newRules(
	rule{`Failed to verify token: {reason}`, Refused, "invalid_token", 401},
	rule{`Failed to verify session token: {reason}`, Refused, "invalid_token", 401},
)

// argoSigns are parts of the errors of its calls.
var argoSigns = []sign{{"no session information", "no_credentials"}, {"invalid username or password", "invalid_credentials"}}

// harbor is the log of Harbor's core.
var harbor = texts{
	shape: "0000-00-00T00:00:00Z [",
	headers: templates(
		`{time} [{level}] [{mark}][client IP="{client}" requestID="{id}" user agent="{text}"]: {message}`,
		`{time} [{level}] [{mark}][client IP="{client}" requestID="{id}"]: {message}`,
		`{time} [{level}] [{mark}][requestID="{id}"]: {message}`,
		`{time} [{level}] [{mark}]: {message}`,
	),
	loose: true,
	rules: newRules(
		rule{`failed to authenticate user:{user}, error:{reason}`, Refused, "invalid_credentials", 401},
		rule{`failed to authenticate {user}: {reason}`, Refused, "invalid_credentials", 401},
		rule{`Error occurred in UserLogin: {reason}`, Refused, "invalid_credentials", 401},
		rule{`failed to verify secret: {text}`, Refused, "invalid_credentials", 401},
	),
}

// vault is the audit log of Vault and OpenBao, JSON lines. What is refused has an error in the
// entry of its response.
var vault = keyed{
	paths: []path{
		{"type", slotMark}, {"time", slotTime}, {"error", slotReason}, {"request.id", slotID}, {"request.path", slotTarget}, {"request.remote_address", slotClient}, {"request.remote_port", slotMore},
		{"auth.display_name", slotUser}, {"request.operation", slotCode},
	},
	needs: []slot{slotMark, slotTime, slotTarget, slotCode},
	finish: func(c *captures, e *Event) bool {
		if kind := string(c[slotMark]); kind != "response" && kind != "request" {
			return false
		}
		e.Port = c[slotMore]
		e.Target = e.memory.Keep(append(append(e.memory.Grow(len(c[slotTarget])+8), "/v1/"...), c[slotTarget]...))
		e.RequestID = nil // of the entries of Vault alone
		if len(c[slotReason]) == 0 || string(c[slotMark]) != "response" {
			return true
		}
		switch failure := c[slotReason]; {
		case bytes.Contains(failure, []byte("invalid token")), bytes.Contains(failure, []byte("bad token")):
			e.state(Refused, "invalid_token", 403)
		case bytes.Contains(failure, []byte("permission denied")):
			e.state(Refused, "acl_denied", 403)
		case bytes.Contains(failure, []byte("missing client token")):
			e.state(Refused, "no_credentials", 400)
		case hasPrefix(c[slotTarget], "auth/") && bytes.Contains(c[slotTarget], []byte("/login")):
			e.refuse(failure, nil, "invalid_credentials")
			e.Status = 400
		}
		return true
	},
}
