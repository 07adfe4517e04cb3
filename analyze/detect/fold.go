package detect

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
)

// A network that attacks from thousands of addresses, or thousands of accounts that
// fail at once, are one trouble: findings of one kind are folded into one if their
// subjects have a parent in common and the pattern is the same. The explanation of each
// refusal does not depend on it, because findings are folded after they have been
// chosen. The rules, in order:
//
//   - network: the addresses of a /64 or a /24 do the same (networks.go);
//   - attack: attackers that begin and end together, such as those that share a list of
//     accounts, and accounts that the same networks guess at (networks.go);
//   - host: preflights, redirects, files or routes over http of a host that fail alike (onsets.go);
//   - onset: accounts, routes or integrations that began to fail together (onsets.go);
//   - program: clients of one program that fail at one route (onsets.go);
//   - number: more than foldMany findings of a kind and severity, whose list shows
//     nothing. Attacks that succeeded are never folded by number.
//
// Muted findings are not folded. What is beyond result.MaxFindings is summed up by kind.

// foldRule is how the findings of a kind are folded.
type foldRule uint8

const (
	notFolded foldRule = iota
	byNetwork
	byAttack
	byOnset
	byHost
)

const (
	// foldLeast is the minimum number of findings that are folded: two may meet by
	// chance, and are quickly read.
	foldLeast = 3
	// foldArea is that of findings that have one place in a configuration in common: a
	// path, a host.
	foldArea = 2
	// foldMany is the number of findings of one kind that are still listed one by one:
	// two screens of a terminal.
	foldMany = 30
	// everyKind is the number of findings of a kind that are told in any case, whatever
	// other kinds have: with all kinds they fit result.MaxFindings.
	everyKind = 20
	// sampleLines bounds the evidence lines of all findings together.
	sampleLines = 2500
	// fewestLines is how many a finding has even then.
	fewestLines = 3
)

// unit is one or several findings that are told as one.
type unit struct {
	*candidate
	members []int // indexes of the findings, those that explain most refusals first
	by      result.FoldedBy
	pattern string // part of the id of a fold, beside its subject
}

// foldGroup is units that are one trouble.
type foldGroup struct {
	units   []int
	pattern string // distinguishes groups with the same subject
}

// folder folds findings.
type folder struct {
	d     *Diagnosis
	all   []*candidate
	units []unit
	rules map[string]foldRule // by kind
	muted func(id string) *result.Muted
}

// fold returns what is told of the findings, as it is presented: most severe first,
// muted ones last, sums of what is beyond the limit at the end.
func (d *Diagnosis) fold(all []*candidate, muted func(id string) *result.Muted) []unit {
	x := &folder{d: d, all: all, rules: map[string]foldRule{}, muted: muted}
	for _, k := range Catalogue() {
		x.rules[k.Name] = k.folds
	}
	x.units = make([]unit, len(all))
	self := make([]int, len(all))
	for i := range all {
		self[i] = i
		x.units[i] = unit{candidate: all[i], members: self[i : i+1 : i+1]}
	}
	x.join(result.FoldedByNetwork, x.alikeIn(byNetwork, x.networkKey), x.sameNetwork)
	x.join(result.FoldedByAttack, x.alikeIn(byNetwork, attackerKey), x.sameTimes)
	x.join(result.FoldedByAttack, x.alikeIn(byAttack, noKey), x.sameAttack)
	x.join(result.FoldedByHost, x.alikeIn(byHost, x.hostKey), x.sameHost)
	x.join(result.FoldedByOnset, x.alikeIn(byOnset, x.onsetKey), x.sameOnset)
	x.join(result.FoldedByOnset, x.alikeIn(byOnset, x.programKey), x.sameProgram)
	x.join(result.FoldedByNumber, x.manyKey, tooMany)
	slices.SortFunc(x.units, func(a, b unit) int { return comparePresented(a.candidate, b.candidate) })
	x.limit()
	return x.units
}

// sameness is what all findings that are folded have in common. Each rule adds a key.
type sameness struct {
	kind      string
	judgement result.Judgement
	subject   string // type
	key       string
}

// alikeIn returns a function like key that returns false for units of kinds that are not
// folded by rule.
func (x *folder) alikeIn(rule foldRule, key func(*unit) (string, bool)) func(*unit) (string, bool) {
	return func(u *unit) (string, bool) {
		if x.rules[u.Kind] != rule {
			return "", false
		}
		return key(u)
	}
}

func noKey(*unit) (string, bool) { return "", true }

// join folds units by a rule: those with the same key that split puts into one group.
func (x *folder) join(by result.FoldedBy, key func(*unit) (string, bool), split func([]int) []foldGroup) {
	place := map[sameness]int{}
	var groups [][]int
	for i := range x.units {
		u := &x.units[i]
		k, ok := key(u)
		if !ok || u.Muted != nil || u.packed.n == 0 {
			continue
		}
		a := sameness{u.Kind, u.Judgement, u.Subject.Type, k}
		n, known := place[a]
		if !known {
			n = len(groups)
			place[a], groups = n, append(groups, nil)
		}
		groups[n] = append(groups[n], i)
	}
	folded := map[int]bool{}
	taken := map[string]bool{}
	var folds []unit
	for _, list := range groups {
		for _, g := range split(list) {
			folds = append(folds, x.merge(by, g, taken))
			for _, i := range g.units {
				folded[i] = true
			}
		}
	}
	if len(folds) == 0 {
		return
	}
	kept := folds
	for i := range x.units {
		if !folded[i] {
			kept = append(kept, x.units[i])
		}
	}
	x.units = kept
}

// merge makes one unit of a group. taken holds the ids of the folds by the same rule.
func (x *folder) merge(by result.FoldedBy, g foldGroup, taken map[string]bool) unit {
	u := unit{candidate: &candidate{}, by: by, pattern: g.pattern}
	for _, i := range g.units {
		u.members = append(u.members, x.units[i].members...)
	}
	slices.SortFunc(u.members, func(i, j int) int {
		return cmp.Or(cmp.Compare(x.all[j].packed.n, x.all[i].packed.n), cmp.Compare(x.all[i].ID, x.all[j].ID))
	})
	largest := x.all[u.members[0]]
	u.Finding = result.Finding{Kind: largest.Kind, Category: largest.Category, Judgement: largest.Judgement, Confidence: largest.Confidence, Onset: largest.Onset}
	total := 0
	for _, i := range u.members {
		total += x.all[i].packed.n
	}
	u.packed = x.union(u.members, total)
	for _, i := range u.members {
		m := x.all[i]
		u.messages = append(u.messages, m.messages...)
		u.Severity = max(u.Severity, m.Severity)
		u.Onset = min(u.Onset, m.Onset) // NoTime is the least
		if by != result.FoldedByLimit {
			u.AbsorbedCount += m.AbsorbedCount
			u.Absorbed = append(u.Absorbed, m.Absorbed[:min(len(m.Absorbed), result.MaxAbsorbed-len(u.Absorbed))]...)
		}
	}
	slices.Sort(u.messages)
	x.d.measure(u.candidate)
	if u.Category == string(AttackCategory) && u.Judgement == result.NotJudged && u.packed.n >= hugeAttack {
		u.Severity = max(u.Severity, result.High)
	}
	u.Subject = x.commonSubject(&u)
	u.ID = foldID(&u)
	if taken[u.ID] {
		u.pattern += "\x00" + strconv.FormatInt(u.Onset, 10)
		u.ID = foldID(&u)
	}
	taken[u.ID] = true
	u.Muted = x.muted(u.ID)
	u.Fold = x.describeFold(&u)
	u.Details = u.Fold
	return u
}

// union returns the refusals that findings explain, each by one of them; total is their number.
// They may be all refusals of a log, for which a bit takes less memory and time than a list.
func (x *folder) union(findings []int, total int) ascending {
	const bits = 64 // of a word of session.Bits
	if total < x.d.Refusals.Len()/bits {
		list := make([]uint32, 0, total)
		for _, i := range findings {
			list = slices.AppendSeq(list, x.all[i].packed.each)
		}
		slices.Sort(list)
		return ascendingOf(slices.Values(list))
	}
	var all session.Bits
	for _, i := range findings {
		for r := range x.all[i].packed.each {
			all.Add(int(r))
		}
	}
	return ascendingOf(func(yield func(uint32) bool) { all.Each(func(r int) bool { return yield(uint32(r)) }) })
}

// foldID returns the id of a fold: its kind and a hash of its subject and pattern.
func foldID(u *unit) string {
	return hashedID(u.Kind, findingID(u.Kind, u.Subject), string(u.by), u.pattern)
}

// describeFold returns what a fold says of its members.
func (x *folder) describeFold(u *unit) *result.Fold {
	f := &result.Fold{Members: len(u.members), By: u.by, SubjectType: x.all[u.members[0]].Subject.Type}
	for n, i := range u.members {
		m := x.all[i]
		if m.Subject.Type != f.SubjectType {
			f.SubjectType = ""
		}
		if n < result.MaxMembers {
			f.Names, f.Subjects = append(f.Names, m.Subject.Name()), append(f.Subjects, m.Subject)
		}
		if d, ok := m.Details.(interface {
			BreakIn(*result.Subject) (result.BreakIn, bool)
		}); ok {
			f.AddBreakIn(d.BreakIn(&m.Subject))
		}
	}
	largest := x.all[u.members[0]].Finding
	largest.Clean()
	f.Largest = &largest
	return f
}

// commonSubject returns what the subjects of the members of a fold have in common.
func (x *folder) commonSubject(u *unit) result.Subject {
	if u.by == result.FoldedByLimit {
		return result.Subject{Type: severalSubjects}
	}
	s := x.all[u.members[0]].Subject
	for _, i := range u.members[1:] {
		m := &x.all[i].Subject
		for _, f := range []struct {
			common *string
			of     string
		}{{&s.Host, m.Host}, {&s.Method, m.Method}, {&s.User, m.User}, {&s.UserAgent, m.UserAgent}, {&s.Upstream, m.Upstream}, {&s.Server, m.Server}} {
			if *f.common != f.of {
				*f.common = ""
			}
		}
		if s.ClientAddress != m.ClientAddress {
			s.ClientAddress = commonNetwork(s.ClientAddress, m.ClientAddress)
		}
		if s.Route != m.Route {
			s.Route = commonPrefix(s.Route, m.Route)
		}
	}
	if s.Type == "account" {
		s.ClientAddress = x.d.originOf(u.packed.each)
	}
	return s
}

// severalSubjects is the type of the subject of what is beyond the limit.
const severalSubjects = "several"

// commonPrefix returns the whole segments that two routes begin with, and a slash, ""
// for none.
func commonPrefix(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	if prefix := a[:strings.LastIndexByte(a[:n], '/')+1]; prefix != "/" {
		return prefix
	}
	return ""
}

// manyKey returns the key by which accounts, routes and clients are folded if there are
// many: their severity, host and the class of the stated reason. It returns false for
// others.
func (x *folder) manyKey(u *unit) (string, bool) {
	switch u.Subject.Type {
	case "account", "endpoint", "client":
	default:
		return "", false
	}
	key := u.Severity.String() + "\x00" + u.Subject.Host
	if u.Reason != nil {
		key += "\x00" + u.Reason.Class.String()
	}
	return key, u.Severity < result.Critical
}

// tooMany folds units if there are many.
func tooMany(units []int) []foldGroup {
	if len(units) <= foldMany {
		return nil
	}
	return []foldGroup{{units: units}}
}

// limit sums up by kind what is beyond the limit, in the order in which units are
// presented. Muted ones are always told: somebody knows them by name.
func (x *folder) limit() {
	if len(x.units) <= result.MaxFindings {
		return
	}
	told := make([]bool, len(x.units))
	ofKind := map[string]int{}
	n := 0
	for i := range x.units {
		u := &x.units[i]
		if ofKind[u.Kind]++; u.Muted != nil || ofKind[u.Kind] <= everyKind {
			told[i] = true
		}
		if told[i] && u.Muted == nil {
			n++
		}
	}
	var kept []unit
	rest := map[string]int{} // by kind: its group
	var groups []foldGroup
	for i := range x.units {
		u := &x.units[i]
		if !told[i] && n < result.MaxFindings {
			told[i] = true
			n++
		}
		if told[i] {
			kept = append(kept, *u)
			continue
		}
		g, known := rest[u.Kind]
		if !known {
			g = len(groups)
			rest[u.Kind], groups = g, append(groups, foldGroup{})
		}
		groups[g].units = append(groups[g].units, i)
	}
	taken := map[string]bool{}
	for _, g := range groups {
		kept = append(kept, x.merge(result.FoldedByLimit, g, taken))
	}
	x.units = kept
}

// samples returns the refusals that are shown as evidence, at most n: of a fold those of
// its largest members.
func (u *unit) samples(all []*candidate, n int) []uint32 {
	shown := u.members[:min(len(u.members), n)]
	var list []uint32
	for i, m := range shown {
		share := n / len(shown)
		if i < n%len(shown) {
			share++
		}
		list = append(list, all[m].packed.spread(share)...)
	}
	return list
}

// evidenceLines returns how many evidence lines each of some findings has.
func evidenceLines(findings int) int {
	return min(max(sampleLines/max(findings, 1), fewestLines), result.MaxEvidence)
}
