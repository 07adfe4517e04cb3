package events

// Logs of applications in which people sign in: a header before each message, and
// messages with the address and the name.

// texts is a log of messages.
type texts struct {
	shape   string     // of the beginning of every line: see shaped
	headers []template // the first that matches a line counts
	rules   rules
	loose   bool // the headers are those of other logs too: only lines with a rule count
}

// read reads a line.
func (t *texts) read(line []byte, e *Event) bool {
	if !shaped(line, t.shape) {
		return false
	}
	for _, h := range t.headers {
		var c captures
		if !h.match(line, &c) {
			continue
		}
		e.Reset()
		c.set(e)
		if t.rules.read(c[slotMessage], e) {
			e.Message = c[slotMessage]
			return true
		}
		if !t.loose {
			return true
		}
	}
	return false
}

// templates compiles templates.
func templates(list ...string) []template {
	all := make([]template, len(list))
	for i, text := range list {
		all[i] = newTemplate(text)
	}
	return all
}

var adguard = texts{
	loose: true, headers: templates(`{time} [{level}] {message}`, `{time} {digits}#{digits} [{level}] {message}`),
	rules: newRules(
		rule{`{method} {skip} {target}: from ip {client}: invalid username or password`, Refused, "invalid_credentials", 403},
		rule{`{method} {client} {target}: invalid username or password`, Refused, "invalid_credentials", 403},
	),
}

// artifactory is Artifactory's access log, which states who is let in, not each request.
var artifactory = texts{
	shape:   "0000-00-00T00:00:00.000",
	headers: templates(`{time} [{id}] {message}`),
	loose:   true,
	rules: newRules(
		rule{`[DENIED LOGIN] for client : {user} / {client} [{text}]`, Refused, "invalid_credentials", 401},
		rule{`[DENIED LOGIN] for client : {user} / {client}`, Refused, "invalid_credentials", 401},
		rule{`[ACCEPTED LOGIN] for client : {user} / {client} [{text}]`, Accepted, "", 0},
		rule{`[ACCEPTED LOGIN] for client : {user} / {client}`, Accepted, "", 0},
	),
}

var calibreWeb = texts{
	shape:   "[0000-00-00 00:00:00,000] ",
	headers: templates(`[{time}]  {level} {{mark}} {message}`, `[{time}] {level} {{mark}} {message}`),
	rules: newRules(
		rule{`Login failed for user "{user}" IP-address: {client}`, Refused, "invalid_credentials", 0},
		rule{`Login failed for user "{user}" IP-Address: {client}`, Refused, "invalid_credentials", 0},
	),
}

var emby = texts{
	loose: true, headers: templates(`{time} {level} {skip}: {message}`),
	rules: newRules(rule{`AUTH-ERROR: {client} - {why}`, Refused, "invalid_credentials", 401}),
}

var filebrowser = texts{
	loose: true, headers: templates(`{time} {message}`),
	rules: newRules(
		rule{`/api/login: 403 {client} {text}`, Refused, "invalid_credentials", 403},
		rule{`/api/login: 401 {client} {text}`, Refused, "invalid_credentials", 401},
		rule{`/api/renew: 401 {client} {text}`, Refused, "invalid_token", 401},
	),
}

var gitea = texts{
	shape:   "0000/00/00 00:00:00 ",
	headers: templates(`{time} {skip}() [{level}] [{id}] {message}`, `{time} {skip}() [{level}] {message}`),
	rules: newRules(
		rule{`Failed authentication attempt for {user} from {client}: {reason}`, Refused, "invalid_credentials", 0},
		rule{`Failed authentication attempt for {user} from {client}`, Refused, "invalid_credentials", 0},
	),
}

var homeAssistant = texts{
	shape:   "0000-00-00 00:00:00.000 ",
	headers: templates(`{time} {level} ({skip}) [{code}] {message}`),
	rules: newRules(
		rule{`Login attempt or request with invalid authentication from {word} ({client}). Requested URL: '{uri}'. ({text}`, Refused, "invalid_credentials", 401},
		rule{`Login attempt or request with invalid authentication from {word} ({client}).{text}`, Refused, "invalid_credentials", 401},
		rule{`Login attempt or request with invalid authentication from {client}.{text}`, Refused, "invalid_credentials", 401},
		rule{`Banned IP {client} for too many login attempts`, Refused, "address_denied", 403},
	),
}

var immich = texts{
	shape:   "[Nest] ",
	headers: templates(`[Nest] {digits}  - {time} {skip}[{code}] {message}`),
	rules: newRules(
		rule{`Failed login attempt for user {user} from ip address {client}`, Refused, "invalid_credentials", 401},
	),
}

var jellyfin = texts{
	shape:   "[0000-00-00 00:00:00.000 ",
	headers: templates(`[{time}] [{level}] [{digits}] {skip}: {message}`),
	rules:   jellyfinRules,
}

// jellyfinConsole is jellyfin as it writes to standard output.
var jellyfinConsole = texts{
	loose: true, headers: templates(`[{time}] [{level}] [{digits}] {skip}: {message}`, `[{time}] [{level}] {message}`),
	rules: jellyfinRules,
}

var jellyfinRules = newRules(
	rule{`Authentication request for "{user}" has been denied (IP: "{client}").`, Refused, "invalid_credentials", 401},
	rule{`Authentication request for {user} has been denied (IP: {client}).`, Refused, "invalid_credentials", 401},
)

var lemonLDAP = texts{
	loose: true, headers: templates(`[{level}] {message}`, `Lemonldap::NG : {message}`, `[{time}] [LLNG:{digits}] [{level}] {message}`),
	rules: newRules(
		rule{`Bad password for {user} ({client})`, Refused, "wrong_password", 401},
		rule{`{user} was not found in LDAP directory ({client})`, Refused, "unknown_user", 401},
		rule{`Kerberos error: {text}`, Refused, "invalid_token", 401},
	),
}

// nexus is the log of Nexus Repository, whose realms are those of Apache Shiro.
var nexus = texts{
	shape:   "0000-00-00 00:00:00,000",
	headers: templates(`{time} {level} [{skip}] {skip} {code} - {message}`, `{time} {level}  [{skip}] {skip} {code} - {message}`),
	loose:   true,
	rules: newRules(
		rule{`Authentication failed for token submission [org.apache.shiro.authc.UsernamePasswordToken - {user}, rememberMe={word} ({client})].{text}`, Refused, "invalid_credentials", 401},
		rule{`Authentication failed for token submission [org.apache.shiro.authc.UsernamePasswordToken - {user}, rememberMe={word}].{text}`, Refused, "invalid_credentials", 401},
	),
}

var ombi = texts{
	loose: true, headers: templates(`{time} [{level}] {message}`),
	rules: newRules(rule{`Failed login attempt by IP: {client}`, Refused, "invalid_credentials", 401}),
}

var overseerr = texts{
	shape:   "0000-00-00T00:00:00.000Z [",
	headers: templates(`{time} [{level}][{mark}]: {message}`),
	rules: newRules(
		rule{`Failed sign-in attempt using invalid {skip} password {"ip":"{client}","email":"{user}"}`, Refused, "invalid_credentials", 403},
		rule{`Failed login attempt from user with {text}{"account":{"ip":"{client}","email":"{user}"{text}`, Refused, "acl_denied", 403},
	),
}

var pam = texts{
	headers: templates(`pam_unix({code}:{word}): {message}`, `pam_unix({code}): {message}`, `pam_sss({code}:{word}): {message}`),
	rules: newRules(
		rule{`authentication failure; {skip}rhost={client}  user={user}`, Refused, "invalid_credentials", 0},
		rule{`authentication failure; {skip}rhost={client} user={user}`, Refused, "invalid_credentials", 0}, // pam_sss
		rule{`authentication failure; {skip}rhost={client}`, Refused, "invalid_credentials", 0},
		rule{`authentication failure; {skip}rhost={client} `, Refused, "invalid_credentials", 0},
	),
}

// readPAM reads a line of pam_unix or pam_sss. Services in which nobody signs in by HTTP are left
// out.
func readPAM(line []byte, e *Event) bool {
	if !pam.read(line, e) {
		return false
	}
	switch string(e.Code) {
	case "sshd", "su", "sudo", "login", "cron", "systemd-user", "vsftpd", "gdm-password", "polkit-1":
		e.state(Other, "", 0)
	}
	return true
}

var proxmox = texts{
	loose: true, headers: templates(`{time}: {message}`, `{message}`),
	rules: newRules(
		rule{`authentication failure; rhost={client} user={user} msg={reason}`, Refused, "invalid_credentials", 401},
		rule{`successful auth for user '{user}'`, Accepted, "", 0},
	),
}

var pterodactyl = texts{
	loose: true, headers: templates(`{level}: [{time}] {message}`, ` {level}: [{time}] {message}`),
	rules: newRules(
		rule{`failed to validate user credentials ({why}) ip={client} {skip}username={user}`, Refused, "invalid_credentials", 0},
	),
}

var qbittorrent = texts{
	shape:   "(A) 0000-00-00T00:00:00 ",
	headers: templates(`({level}) {time} - {message}`),
	rules: newRules(
		rule{`WebAPI login failure. Reason: {why}, attempt count: {digits}, IP: {client}, username: {user}`, Refused, "invalid_credentials", 403},
		rule{`WebAPI login failure. Reason: {why}, IP: {client}, username: {user}`, Refused, "account_locked", 403},
		rule{`WebAPI login success. IP: {client}`, Accepted, "", 0},
	),
}

var sabnzbd = texts{
	shape:   "0000-00-00 00:00:00,000::",
	headers: templates(`{time}::{level}::[{mark}] {message}`),
	rules: newRules(
		rule{`Unsuccessful login attempt from {client} (X-Forwarded-For: {forwarded}) [{text}`, Refused, "invalid_credentials", 401},
		rule{`Fehlerhafter Login Versuch von {client} (X-Forwarded-For: {forwarded}) [{text}`, Refused, "invalid_credentials", 401},
		rule{`Echec de la tentative de connexion de {client} (X-Forwarded-For: {forwarded}) [{text}`, Refused, "invalid_credentials", 401},
		rule{`Mislukte login poging van {client} (X-Forwarded-For: {forwarded}) [{text}`, Refused, "invalid_credentials", 401},
		rule{`Unsuccessful login attempt from {client} [{text}`, Refused, "invalid_credentials", 401},
		rule{`Fehlerhafter Login Versuch von {client} [{text}`, Refused, "invalid_credentials", 401},
		rule{`Echec de la tentative de connexion de {client} [{text}`, Refused, "invalid_credentials", 401},
		rule{`Mislukte login poging van {client} [{text}`, Refused, "invalid_credentials", 401},
	),
}

// servarr is Sonarr, Radarr, Prowlarr, Lidarr and Readarr.
var servarr = texts{
	shape:   "0000-00-00 00:00:00.0",
	headers: templates(`{time}|{level}|{code}|{message}`),
	rules:   servarrRules,
}

var servarrConsole = texts{
	loose: true, headers: templates(`[{level}] {code}: {message}`),
	rules: servarrRules,
}

var servarrRules = newRules(
	rule{`Auth-Failure ip {client} username '{user}'`, Refused, "invalid_credentials", 401},
	rule{`Auth-Unauthorized ip {client} url '{uri}'`, Refused, "no_credentials", 401},
	rule{`Auth-Success ip {client} username '{user}'`, Accepted, "", 0},
)

// gitLab is application_json.log. Lines with the status of a response are requests.
var gitLab = keyed{
	paths: []path{
		{"severity", slotLevel}, {"time", slotTime}, {"correlation_id", slotID}, {"message", slotMessage}, {"status", slotStatus}, {"env", slotMore}, {"remote_ip", slotClient}, {"request_method", slotMethod},
		{"path", slotTarget},
	},
	needs: []slot{slotLevel, slotTime, slotID, slotMessage},
	finish: func(c *captures, e *Event) bool {
		message := e.Message
		gitLabRules.read(message, e)
		if string(message) == "Rack_Attack" && string(c[slotMore]) == "blocklist" {
			e.state(Refused, "address_denied", 403)
		}
		e.Message = message
		return c[slotStatus] == nil
	},
}

var gitLabRules = newRules(
	rule{`Failed Login: username={user} ip={client}`, Refused, "invalid_credentials", 0},
	rule{`Successful Login: username={user} ip={client}`, Accepted, "", 0},
)

var vaultwarden = texts{
	shape:   "[0000-00-00 00:00:00.000][",
	headers: templates(`[{time}][{code}][{level}] {message}`),
	rules: newRules(
		rule{`Username or password is incorrect. Try again. IP: {client}. Username: {user}.`, Refused, "invalid_credentials", 400},
		rule{`Invalid admin token. IP: {client}`, Refused, "invalid_token", 401},
		rule{`Invalid TOTP code! {skip}IP: {client}{text}`, Refused, "step_up_required", 400},
	),
}

var nextcloud = keyed{
	paths: []path{
		{"reqId", slotID}, {"level", slotLevel}, {"time", slotTime}, {"remoteAddr", slotClient}, {"user", slotUser}, {"app", slotMark}, {"method", slotMethod}, {"url", slotTarget}, {"message", slotMessage},
	},
	needs: []slot{slotID, slotTime, slotClient, slotMessage, slotMark},
	finish: func(c *captures, e *Event) bool {
		if string(e.User) == "--" {
			e.User = nil
		}
		nextcloudRules.read(e.Message, e)
		return true
	},
}

// nextcloudRules are messages of Nextcloud. The address is that of the key.
var nextcloudRules = newRules(
	rule{`Login failed: '{user}' (Remote IP: '{address}')`, Refused, "invalid_credentials", 0},
	rule{`Login failed: {user} (Remote IP: {address})`, Refused, "invalid_credentials", 0},
	rule{`Login failed: '{user}' (Remote IP: {address})`, Refused, "invalid_credentials", 0},
	rule{`Trusted domain error. "{address}" tried to access using "{host}" as host.`, Refused, "config", 400},
	rule{`Two-factor challenge failed: {user} (Remote IP: {address})`, Refused, "step_up_required", 401},
	rule{`Current user is not logged in`, Refused, "no_credentials", 401},
	// sabre/dav puts the answers of all ways to authenticate one after the other.
	rule{`{skip}Username or password was incorrect{text}`, Refused, "invalid_credentials", 401},
	rule{`{skip}No public access to this resource., No 'Authorization: {text}`, Refused, "no_credentials", 401},
	rule{`No 'Authorization: {text}`, Refused, "no_credentials", 401},
)

// jenkins is Jenkins' log, which names neither users nor clients.
var jenkins = texts{
	shape:   "0000-00-00 00:00:00.000+0000 [id=",
	loose:   true,
	headers: templates("{time} [id={digits}]\t{level}\t{mark}: {message}"),
	rules: newRules(
		rule{`Login attempt failed`, Refused, "invalid_credentials", 0},
		rule{`Credential exception trying to authenticate against {text}`, Refused, "invalid_credentials", 0},
	),
}

// readSonarQube reads an event of SonarQube's web.log at level debug, "2026.03.09 14:05:00 DEBUG
// web[id][auth.event] text".
// Source: SonarSource/sonarqube, AuthenticationEventImpl.java.
func readSonarQube(line []byte, e *Event) bool {
	const stamp = "0000.00.00 00:00:00"
	var c captures
	if !shaped(line, stamp) || !sonarHeader.match(line[len(stamp):], &c) {
		return false
	}
	at := e.memory.Keep(append(e.memory.Grow(len(stamp)), line[:len(stamp)]...))
	at[4], at[7] = '-', '-'
	e.setTime(at)
	message := c[slotMessage]
	sonarRules.read(message, e)
	e.Message = message
	return true
}

var sonarHeader = newTemplate(` {level} web[{skip}][auth.event] {message}`)

var sonarRules = newRules(
	rule{`login failure [cause|Token doesn't exist][method|{skip}][provider|{skip}][IP|{client}|{forwarded}][login|{user}]`, Refused, "invalid_token", 401},
	rule{`login failure [cause|User must be authenticated][method|{skip}][provider|{skip}][IP|{client}|{forwarded}][login|{user}]`, Refused, "no_credentials", 401},
	rule{`login failure [cause|{why}][method|{skip}][provider|{skip}][IP|{client}|{forwarded}][login|{user}]`, Refused, "invalid_credentials", 401},
	rule{`login success [method|{skip}][provider|{skip}][IP|{client}|{forwarded}][login|{user}]`, Accepted, "", 0},
)

// rabbitMQ is RabbitMQ's log, with what its management interface refuses.
var rabbitMQ = texts{
	shape:   "0000-00-00 00:00:00.000000",
	headers: templates(`{time} [{level}] <{word}> {message}`),
	rules: newRules(
		rule{`HTTP access denied: user '{user}' - invalid credentials`, Refused, "invalid_credentials", 401},
		rule{`HTTP access denied: user '{user}' - Not management user`, Refused, "acl_denied", 401},
		rule{`HTTP access denied: user '{user}' - User can only log in via localhost`, Refused, "address_denied", 401},
		rule{`HTTP access denied: {text}`, Refused, "", 401},
	),
}

// mattermost are messages about requests that Mattermost has refused, JSON lines.
var mattermost = keyed{
	paths: []path{
		{"err_where", slotMark}, {"timestamp", slotTime}, {"msg", slotMessage}, {"path", slotTarget}, {"method", slotMethod}, {"request_id", slotID}, {"ip_addr", slotClient}, {"http_code", slotStatus},
	},
	needs: []slot{slotMark, slotTime, slotMessage, slotStatus},
	finish: func(c *captures, e *Event) bool {
		if string(c[slotStatus]) == "401" {
			e.refuse(c[slotMessage], mattermostSigns, "")
			e.Status = 401
		}
		return true
	},
}

var mattermostSigns = []sign{{"expired session", "session_expired"}, {"invalid_password", "wrong_password"}}

// phpSyslog is what applications in PHP write to syslog: plugins of WordPress, phpMyAdmin and
// SimpleSAMLphp.
var phpSyslog = texts{loose: true, headers: templates(`{message}`), rules: scriptRules}
