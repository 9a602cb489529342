"""English texts of what is wrong with a configuration; what stands inside them is in `texts_words.py`.

File, line number and path of the key go before a text; nobody translates those. Before a new one is written:
most are said by `missing`, `expected`, `unknown` and a word.
"""

from __future__ import annotations

FAULT_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    FAULT_TEXTS[context] = english


# Any key of any file
_text("fault.missing", "is missing; expected {wanted}")
_text("fault.missing_tls", "is missing: off this machine the broker is reached over TLS only")
_text("fault.belongs", "is missing: it belongs to {other}")
_text("fault.needs", "needs {other} too")
_text("fault.together", "{one} and {other} belong together")
_text("fault.nothing_without", "means nothing without {other}")
_text("fault.expected", "expected {wanted}")
_text("fault.expected_got", "expected {wanted}, got {got}")
_text("fault.said_expected", '"{given}": expected {wanted}')
_text("fault.must_be", "must be {wanted}, got {got}")
_text("fault.at_least", "must be at least {least}, got {got}")
_text("fault.at_most", "must be at most {most}, got {got}")
_text("fault.between", "must be {least} to {most}, got {got}")
_text("fault.expected_between", "expected {least} to {most}, got {got}")
_text("fault.number_between", '"{given}" must be a number from {least} to {most}')
_text("fault.quotes", 'must be a text, got {got}; write it in quotes: "{given}"')
_text("fault.in_quotes", 'must be a text; write it in quotes: "{given}"')
_text("fault.form", '"{given}" does not have the form {form}')
_text("fault.name", '"{given}" must be 1 to 48 of a-z, 0-9, hyphen and underscore')
_text("fault.a_name", "a name must be 1 to 48 of a-z, 0-9, hyphen and underscore")
_text("fault.key", "unknown key{hint}")
_text("fault.value", 'unknown value "{given}"{hint}')
_text("fault.unknown", 'unknown {what} "{name}"{hint}')
_text("fault.meant", '; did you mean "{word}"?')
_text("fault.known", "; known are {words}")
_text("fault.stands_twice", "{name} stands twice")
_text("fault.stands_above", "{name} stands above already")
_text("fault.either", "expected either {one} or {other}, and not both")
_text("fault.must_not_hold", "must not hold {what}")
_text("fault.zero", "must not be 0")
_text("fault.differ", "must differ from {other}")
_text("fault.one_word", '"{given}" must be one word')
_text("fault.octets", "must be at most {most} octets long")
_text("fault.printable", "must be at most {most} characters that can be printed")
_text("fault.pattern", '"{given}" is no regular expression: {cause}')
_text("fault.whole_path", '"{given}" must be a whole path, such as {example}')
_text("fault.no_date", '"{given}" is no date; expected such as "{example}"')
_text("fault.no_time", '"{given}" is no time of day; expected such as "{example}"')
_text("fault.no_span", '"{given}" is no span of the day; expected such as "{example}"')
_text("fault.no_day_and_time", '"{given}" is no day and time; expected such as "{example}"')
_text("fault.no_zone", '"{given}" is no name of a time zone; expected one such as {example}')

# Addresses and secrets
_text("fault.port", '"{given}": the port must be 1 to 65535')
_text("fault.no_address", '"{given}" is no address')
_text("fault.itself", '"{given}": is each machine itself; expected where others find the hub')
_text("fault.secret", "must be file:PATH, env:NAME or credential:NAME, never the secret itself")
_text("fault.here_only", "{given} exists here only; expected file:PATH or credential:NAME")
_text("fault.no_secret_name", '"{given}" names no secret; expected letters, digits and _ . @ -')
_text("fault.two_files", 'two files are called "{given}"; expected names of their own')

# agent.yaml, network.yaml: SNMP
_text("fault.belongs_to_v3", 'belongs to version: "3"')
_text("fault.belongs_to_v2", 'belongs to versions 1 and 2c; version "3" has a user instead')
_text("fault.des", "DES needs engine: pysnmp; choose AES where the device has it")
_text("fault.ssh_needs_v3", 'needs SNMPv3; expected version: "3", user, auth and priv too')

# network.yaml: what belongs together
_text("fault.ends_same", "both ends are the same device")
_text("fault.shared_itself", '"{given}" is a shared login itself; expected people')
_text("fault.circle", "goes round in a circle: {way}")
_text("fault.machine_twice", "a machine of this name is there; expected another name")
_text("fault.nodes_one_machine", "live on one machine; expected one node there")
_text("fault.node_called_hub", "the central's machine has this name; expected another, or its `ssh:`")
_text("fault.ssh_twice", "is that of {other}, too; expected another machine")
_text("fault.server", '"{given}" must be https:// or http:// and a host, nothing behind it')
_text("fault.https", "must be https:// where it is not on this machine: the token travels there")
_text("fault.turns", "nobody has two turns in a row: each person stands here once")
_text("fault.offset", "is by the clock of the network, without an offset")
_text("fault.chat_twice", "is the chat of {other} already")
_text("fault.no_chat", '"{given}" is no chat; expected its number, such as "{example}"')
_text("fault.needs_bot", "needs network.telegram with the token of a bot")
_text("fault.who_next", "means nothing without on_call: who comes next?")
_text("fault.no_notify", "{person} has no notify: nobody could be told in that turn")

# Maintenance
_text("fault.moment", '"{given}": expected a time such as {example}')
_text("fault.clock", '"{given}": expected a clock time such as {example}')
_text("fault.no_moment", '"{given}" is no day and time that there is')
_text("fault.window_times", "expected start and end, or weekdays with from and to")
_text("fault.window_backwards", "it ends before it begins")
_text("fault.window_long", "it lasts longer than a year")
_text("fault.window_over", "it is over already")
_text("fault.window_two", "stands beside {other}; a window is about one thing, or without any about all")
_text("fault.weekday", 'unknown weekday "{given}"; known are {words}')
_text("fault.no_weekdays", "weekdays are missing; known are {words}")

# Lists of devices to import
_text("fault.many_devices", "more than {most} devices")
_text("fault.list_empty", "no device in it; expected a head and a line for each device")
_text("fault.list_no_address", "no device with an address in it")
_text("fault.csv", "the line cannot be read as a table: {cause}")
_text("fault.column", "unknown column{hint}")
_text("fault.column_of_v3", "belongs to version 3")
_text("fault.cells", "the line: has {n} cells; the head has {most}")
_text("fault.belongs_to_link", "belongs to a link; link_to is empty")
_text("fault.json", "not valid JSON: {cause}")

# Profiles, maps and other device knowledge
_text("fault.oid", '"{given}" is not an OID; expected numbers with dots between them')
_text("fault.oid_cannot", '"{given}" is not an OID: {cause}')
_text("fault.oid_no_root", '"{given}" begins with a dot, but the file has no root')
_text("fault.index_part", '"{given}" is no part of an index; expected all, "1", "2-7" or "2-"')
_text("fault.needs_lookup", "needs a lookup: it says at which index that is read")
_text("fault.oid_not_read", "names an OID that no included part reads")
_text("fault.family_no_root", "is that of the family, but the family has none")
_text("fault.shared_part", "a shared part has no without and no change; they belong to families")
_text("fault.is_a", "{name} is {kind}")
_text("fault.unit", '"{given}" does not become {unit}; allowed are {words}')
_text("fault.no_unit", '"{given}" does not become a bare number; the metric has no unit')
_text("fault.scalar_item", "the item of a scalar is a text")
_text("fault.no_rows", "expected a column at least: without one there are no rows to read")
_text("fault.not_told", "is nothing to tell of a neighbour{hint}")
_text("fault.no_system_text", '"{given}" is no text about a system{hint}')
_text("fault.not_made", 'nothing here makes "{given}"{hint}')
_text("fault.no_path", '"{given}" is no path; expected keys with dots between them, such as {example}')
_text("fault.good_side", "must not be on the good side of warn ({warn}): {side} it is worse")
_text("fault.rule_no_limit", "is missing: a rule needs warn, critical or both")
_text("fault.times_within", "is missing: times go with within_s")

# Sources beyond SNMP
_text("fault.one_bit", "a coil or a discrete input is one bit")
_text("fault.past_last", "goes past the last address, 0xFFFF")
_text("fault.no_register", "{given} is no address from 0 to 0xFFFF")
_text("fault.bits", '"{given}" are no bits; expected "3" or "2-3", from 0 to {most}')
_text("fault.serial", "belongs to a serial line; this device has an address")
_text("fault.probe_long", "{n} requests every {every} s take more than {most} s")

# Files, as they are read and written
_text("fault.no_file", "no such file")
_text("fault.utf8", "not a text in UTF-8")
_text("fault.unreadable", "cannot be read: {cause}")
_text("fault.unwritable", "cannot be written: {cause}")
_text("fault.unremovable", "cannot be removed: {cause}")
_text("fault.unusable", "cannot be used: {cause}")
_text("fault.large", "larger than {most} MB; expected a configuration")
_text("fault.not_found", "not found in {places}")
_text("fault.not_shipped", "the shipped configuration is missing; install Ayni again")
_text("fault.stands_in", "stands in {other} too")
_text("fault.no_zones", "this machine has no list of time zones; apt-get install tzdata")
_text("fault.identify_top", "must stand at the top of the file; only about may come before it")
_text("fault.yaml", "not valid YAML: {cause}")
_text("fault.alias", "aliases (*name) are not allowed")
_text("fault.nested", "nested more than {most} deep")
_text("fault.plain_key", "a key must be a plain word")
_text("fault.key_twice", 'key "{key}" stands twice')
_text("fault.tag", "the tag {tag} is not allowed")

# Secrets, where they are kept
_text("fault.variable", "the environment variable {name} is not set")
_text("fault.empty_secret", "is empty; expected the secret on its first line")
_text("fault.no_credentials", "no systemd credentials here; expected one named {name}")
_text("fault.short_password", "an SNMPv3 password has at least {least} characters (RFC 3414)")
_text("fault.open_to_others", "others can read it too: {command}")
_text("fault.no_password", "is no password as {option} writes it")
_text("fault.no_password_yet", "no password yet: choose one with {command}")
_text("fault.no_accounts", "no accounts there; expected those that Ayni wrote")

# Pages and the console in a browser
_text("fault.cannot_listen", "cannot listen: {cause}")
_text("fault.listen_own", "cannot reach this machine's own address: name another one in listen")
_text("fault.with_neighbours", "does not go with neighbours: they see the page without a password")
_text("fault.page_off", "is missing: off this machine the page is given over TLS and with a password only")
_text(
    "fault.page_off_neighbours",
    "is missing: off this machine the page is given over TLS and with a password only, or to neighbours",
)
_text("fault.not_private", "{given}: only private networks are neighbours, such as {example}")
_text("fault.console_tls", "are missing: off this machine ({host}) the console is given over TLS only")
_text("fault.user_name", 'expected lower-case letters, digits and dashes, got "{given}"')

# agent.yaml
_text("fault.at_most_polls", "must be at most {most} polls ({span} s), got {got}")
_text("fault.at_least_other", "must be at least {other} ({least}), got {got}")
_text("fault.not_polled", '"{name}" is not polled from here{hint}')
_text("fault.needs_module", '"{kind}" needs {module}; install it with: pip install "ayni[{extra}]"')
_text("fault.needs_dnspython", 'to ask a server takes dnspython: pip install "ayni[probes]"')
_text("fault.no_module", "{module} is missing on this machine")
_text("fault.restart_only", "changes with a restart only")
_text("fault.no_source", 'no device "{name}" with a source{hint}')
_text("fault.map_of_pages", "{wants} of this map are pages, and {url} is ubus")
_text("fault.map_of_ubus", "{wants} of this map are asked of ubus: the url must end in /ubus")

# hub.yaml and what is kept there
_text("fault.no_buckets", "is missing: a worker owns buckets, such as [0-31]")
_text("fault.bucket_range", '"{given}": expected buckets from 0 to {most}, the smaller one first')
_text("fault.role_buckets", "only a worker owns buckets; the role here is {role}")
_text(
    "fault.no_workers",
    "is missing: a judge reads what its workers stored; name their folders on this machine",
)
_text("fault.role_workers", "only a judge has workers; the role here is {role}")
_text("fault.role_feed", "only a hub of the role all feeds a server; the role here is {role}")
_text("fault.role_judges", "belongs to a hub that judges; the role here is {role}")
_text("fault.belongs_to_store", "belongs to kind: victoriametrics or influxdb")
_text("fault.token_or_password", "a token or a password, not both")
_text("fault.url", '"{given}" must be http://HOST:PORT or https://HOST, without user, password and query')
_text("fault.no_host", '"{given}" has no host and port that can be')
_text("fault.https_secrets", "must begin with https: off this machine secrets travel over TLS only")
_text("fault.prefix", '"{given}" must be words of letters, digits, - and _, with / between them')
_text("fault.own_prefix", "must not begin with ayni: that is our own")
_text("fault.one_place", "a place is one of folder, stick and ssh")
_text("fault.no_label", '"{given}" is no label of a file system')
_text(
    "fault.keeper_unknown",
    "its password is not known here; expected a section accounts in hub.yaml, --dir or --passwords",
)
_text("fault.invitation_broken", "a part of the invitation is missing or wrong; copy the whole line again")
_text("fault.never_started", "there is no such folder; start the central once first")
_text("fault.no_person", 'there is no person "{name}"{hint}')
_text("fault.no_device", 'no device "{name}"{hint}')
_text("fault.which_monitor", 'which monitor shall ask it? got "{name}"{hint}')
_text("fault.taken", 'the name "{name}" is taken')
_text("fault.fill_in", "is missing; fill it in, or give {option}")
_text("fault.device_itself", "is the device itself")
