-- Numbers are text: plain decimals, or n/d where no decimal is exact. Costs are minor units.
-- Instants are RFC 3339 in UTC.
--
-- A row of an append-only table can be neither updated nor deleted, nor replaced: INSERT OR REPLACE
-- deletes what is in its way, and fires no trigger on DELETE unless the connection asks for it.

CREATE TABLE org_billing_overages (
    org_id TEXT NOT NULL,
    billing_period_start TEXT NOT NULL,
    billing_period_end TEXT NOT NULL,
    metric_type TEXT NOT NULL, -- empty where an adjustment is about all of them
    line TEXT NOT NULL, -- 'overage', or which adjustment
    revision INTEGER NOT NULL,
    amount TEXT NOT NULL,
    unit_price TEXT,
    exact_cost TEXT NOT NULL,
    cost TEXT NOT NULL,
    currency TEXT NOT NULL,
    currency_exponent INTEGER NOT NULL,
    plan TEXT NOT NULL,
    plan_version INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    id TEXT NOT NULL, -- the record's digest
    -- It also serves what is asked by org, and by org and period.
    PRIMARY KEY (org_id, billing_period_start, billing_period_end, metric_type, line, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX org_billing_overages_by_metric ON org_billing_overages (org_id, metric_type);

CREATE TRIGGER org_billing_overages_no_update BEFORE UPDATE ON org_billing_overages
BEGIN
    SELECT RAISE (ABORT, 'overage records are append-only');
END;

CREATE TRIGGER org_billing_overages_no_delete BEFORE DELETE ON org_billing_overages
BEGIN
    SELECT RAISE (ABORT, 'overage records are append-only');
END;

CREATE TRIGGER org_billing_overages_no_replace BEFORE INSERT ON org_billing_overages
WHEN EXISTS (
    SELECT 1 FROM org_billing_overages WHERE org_id = NEW.org_id
    AND billing_period_start = NEW.billing_period_start
    AND billing_period_end = NEW.billing_period_end
    AND metric_type = NEW.metric_type AND line = NEW.line AND revision = NEW.revision
)
BEGIN
    SELECT RAISE (ABORT, 'overage records are append-only');
END;

-- The end of each org's chain of records.
CREATE TABLE org_billing_chain_heads (
    org_id TEXT NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL,
    id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER org_billing_chain_heads_no_update BEFORE UPDATE ON org_billing_chain_heads
WHEN NEW.org_id <> OLD.org_id OR NEW.sequence <= OLD.sequence
BEGIN
    SELECT RAISE (ABORT, 'a chain of records only grows');
END;

CREATE TRIGGER org_billing_chain_heads_no_delete BEFORE DELETE ON org_billing_chain_heads
BEGIN
    SELECT RAISE (ABORT, 'a chain of records only grows');
END;

CREATE TRIGGER org_billing_chain_heads_no_replace BEFORE INSERT ON org_billing_chain_heads
WHEN EXISTS (
    SELECT 1 FROM org_billing_chain_heads
    WHERE org_id = NEW.org_id AND sequence >= NEW.sequence
)
BEGIN
    SELECT RAISE (ABORT, 'a chain of records only grows');
END;

-- Overage that is held ready: it is made again of the records, and compared, by `verify`.
CREATE TABLE org_billing_usage_monthly (
    org_id TEXT NOT NULL,
    billing_period_start TEXT NOT NULL,
    billing_period_end TEXT NOT NULL,
    metric_type TEXT NOT NULL,
    overage TEXT NOT NULL,
    overage_cost TEXT NOT NULL,
    currency TEXT NOT NULL,
    currency_exponent INTEGER NOT NULL,
    PRIMARY KEY (org_id, billing_period_start, billing_period_end, metric_type)
) STRICT, WITHOUT ROWID;

-- Instants of events have six decimals always, so that they sort as they follow each other.
CREATE TABLE org_billing_usage_events (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    org_id TEXT NOT NULL,
    event_id TEXT CHECK (event_id <> ''), -- sums and seals write an event without an id as ''
    metric_type TEXT NOT NULL,
    quantity TEXT NOT NULL,
    at TEXT NOT NULL,
    counts_at TEXT NOT NULL, -- a late one may count in a later period
    dimensions TEXT NOT NULL -- JSON
) STRICT;

CREATE UNIQUE INDEX org_billing_usage_events_by_id ON org_billing_usage_events (org_id, event_id)
WHERE event_id IS NOT NULL;

-- The others are found by the instant that they count at, which is their own.
CREATE INDEX org_billing_usage_events_late ON org_billing_usage_events (org_id, at)
WHERE counts_at <> at;

CREATE INDEX org_billing_usage_events_by_count ON org_billing_usage_events
(org_id, metric_type, counts_at);

CREATE TRIGGER org_billing_usage_events_no_update BEFORE UPDATE ON org_billing_usage_events
BEGIN
    SELECT RAISE (ABORT, 'usage events are append-only');
END;

CREATE TRIGGER org_billing_usage_events_no_delete BEFORE DELETE ON org_billing_usage_events
BEGIN
    SELECT RAISE (ABORT, 'usage events are append-only');
END;

CREATE TRIGGER org_billing_usage_events_no_replace BEFORE INSERT ON org_billing_usage_events
WHEN EXISTS (SELECT 1 FROM org_billing_usage_events WHERE number = NEW.number)
OR EXISTS (
    SELECT 1 FROM org_billing_usage_events
    WHERE org_id = NEW.org_id AND event_id = NEW.event_id
)
BEGIN
    SELECT RAISE (ABORT, 'usage events are append-only');
END;

-- Events that were taken back. They stay where they are, and so their ids stay used.
CREATE TABLE org_billing_usage_withdrawals (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    org_id TEXT NOT NULL,
    event INTEGER NOT NULL UNIQUE, -- its number
    withdrawn_at TEXT NOT NULL
) STRICT;

CREATE INDEX org_billing_usage_withdrawals_by_org ON org_billing_usage_withdrawals (org_id, event);

CREATE TRIGGER org_billing_usage_withdrawals_no_update
BEFORE UPDATE ON org_billing_usage_withdrawals
BEGIN
    SELECT RAISE (ABORT, 'withdrawals of events are append-only');
END;

CREATE TRIGGER org_billing_usage_withdrawals_no_delete
BEFORE DELETE ON org_billing_usage_withdrawals
BEGIN
    SELECT RAISE (ABORT, 'withdrawals of events are append-only');
END;

CREATE TRIGGER org_billing_usage_withdrawals_no_replace
BEFORE INSERT ON org_billing_usage_withdrawals
WHEN EXISTS (
    SELECT 1 FROM org_billing_usage_withdrawals WHERE number = NEW.number OR event = NEW.event
)
BEGIN
    SELECT RAISE (ABORT, 'withdrawals of events are append-only');
END;

-- The sums of the events of each hour, and of each day, that they count in, held ready: `verify`
-- makes them again of the events, and compares.
CREATE TABLE org_billing_usage_sums (
    org_id TEXT NOT NULL,
    metric_type TEXT NOT NULL,
    unit TEXT NOT NULL, -- 'hour' or 'day', of UTC's
    start TEXT NOT NULL,
    events INTEGER NOT NULL,
    used TEXT NOT NULL,
    largest TEXT NOT NULL, -- quantity of one event
    last_at TEXT NOT NULL, -- of the last event: its instant, its id or nothing, and its quantity
    last_id TEXT NOT NULL,
    last_quantity TEXT NOT NULL,
    PRIMARY KEY (org_id, metric_type, unit, start)
) STRICT, WITHOUT ROWID;

-- Sums that the host put for a span of time; of one span and metric, the last one counts.
CREATE TABLE org_billing_usage_puts (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    org_id TEXT NOT NULL,
    span_start TEXT NOT NULL,
    span_end TEXT NOT NULL,
    metric_type TEXT NOT NULL,
    used TEXT NOT NULL
) STRICT;

CREATE INDEX org_billing_usage_puts_by_org ON org_billing_usage_puts (org_id, span_end);

CREATE TRIGGER org_billing_usage_puts_no_update BEFORE UPDATE ON org_billing_usage_puts
BEGIN
    SELECT RAISE (ABORT, 'usage that was put is append-only');
END;

CREATE TRIGGER org_billing_usage_puts_no_delete BEFORE DELETE ON org_billing_usage_puts
BEGIN
    SELECT RAISE (ABORT, 'usage that was put is append-only');
END;

CREATE TRIGGER org_billing_usage_puts_no_replace BEFORE INSERT ON org_billing_usage_puts
WHEN EXISTS (SELECT 1 FROM org_billing_usage_puts WHERE number = NEW.number)
BEGIN
    SELECT RAISE (ABORT, 'usage that was put is append-only');
END;

-- Which events came in a batch: those with numbers from the first to the last, both in it.
CREATE TABLE org_billing_usage_batch_events (
    batch TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (batch, first)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER org_billing_usage_batch_events_no_update
BEFORE UPDATE ON org_billing_usage_batch_events
WHEN NEW.batch <> OLD.batch OR NEW.first <> OLD.first OR NEW.last <= OLD.last
BEGIN
    SELECT RAISE (ABORT, 'the events of a batch only grow');
END;

CREATE TRIGGER org_billing_usage_batch_events_no_delete
BEFORE DELETE ON org_billing_usage_batch_events
BEGIN
    SELECT RAISE (ABORT, 'the events of a batch only grow');
END;

CREATE TRIGGER org_billing_usage_batch_events_no_replace
BEFORE INSERT ON org_billing_usage_batch_events
WHEN EXISTS (
    SELECT 1 FROM org_billing_usage_batch_events WHERE batch = NEW.batch AND first = NEW.first
)
BEGIN
    SELECT RAISE (ABORT, 'the events of a batch only grow');
END;

-- The content that batches were given with; of one name, the row that came last counts.
CREATE TABLE org_billing_usage_batches (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    events INTEGER NOT NULL,
    noted_at TEXT NOT NULL
) STRICT;

CREATE INDEX org_billing_usage_batches_by_name ON org_billing_usage_batches (name);

CREATE TRIGGER org_billing_usage_batches_no_update BEFORE UPDATE ON org_billing_usage_batches
BEGIN
    SELECT RAISE (ABORT, 'batches are append-only');
END;

CREATE TRIGGER org_billing_usage_batches_no_delete BEFORE DELETE ON org_billing_usage_batches
BEGIN
    SELECT RAISE (ABORT, 'batches are append-only');
END;

CREATE TRIGGER org_billing_usage_batches_no_replace BEFORE INSERT ON org_billing_usage_batches
WHEN EXISTS (SELECT 1 FROM org_billing_usage_batches WHERE number = NEW.number)
BEGIN
    SELECT RAISE (ABORT, 'batches are append-only');
END;

-- What an org may draw on before usage is overage. A row is added once, and voided once.
CREATE TABLE org_billing_grants (
    org_id TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    grant_json TEXT NOT NULL, -- without the instant that it was voided at
    voided_at TEXT,
    PRIMARY KEY (org_id, grant_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER org_billing_grants_no_update BEFORE UPDATE ON org_billing_grants
WHEN OLD.voided_at IS NOT NULL OR NEW.voided_at IS NULL
BEGIN
    SELECT RAISE (ABORT, 'grants are append-only, and voided once');
END;

CREATE TRIGGER org_billing_grants_no_change BEFORE UPDATE OF org_id, grant_id, grant_json
ON org_billing_grants
BEGIN
    SELECT RAISE (ABORT, 'grants are append-only, and voided once');
END;

CREATE TRIGGER org_billing_grants_no_delete BEFORE DELETE ON org_billing_grants
BEGIN
    SELECT RAISE (ABORT, 'grants are append-only, and voided once');
END;

CREATE TRIGGER org_billing_grants_no_replace BEFORE INSERT ON org_billing_grants
WHEN EXISTS (
    SELECT 1 FROM org_billing_grants WHERE org_id = NEW.org_id AND grant_id = NEW.grant_id
)
BEGIN
    SELECT RAISE (ABORT, 'grants are append-only, and voided once');
END;

-- The most that an org means to spend or use; of one id, the row that came last counts.
CREATE TABLE org_billing_budgets (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    org_id TEXT NOT NULL,
    budget_id TEXT NOT NULL,
    budget TEXT, -- JSON; null where it was dropped
    put_at TEXT -- since when it has its amount; null where it always had
) STRICT;

CREATE INDEX org_billing_budgets_by_org ON org_billing_budgets (org_id);

CREATE TRIGGER org_billing_budgets_no_update BEFORE UPDATE ON org_billing_budgets
BEGIN
    SELECT RAISE (ABORT, 'budgets are append-only');
END;

CREATE TRIGGER org_billing_budgets_no_delete BEFORE DELETE ON org_billing_budgets
BEGIN
    SELECT RAISE (ABORT, 'budgets are append-only');
END;

CREATE TRIGGER org_billing_budgets_no_replace BEFORE INSERT ON org_billing_budgets
WHEN EXISTS (SELECT 1 FROM org_billing_budgets WHERE number = NEW.number)
BEGIN
    SELECT RAISE (ABORT, 'budgets are append-only');
END;

-- Alerts that are to fire, of one org or of all; of one id, the row that came last counts.
CREATE TABLE org_billing_alerts (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    org_id TEXT, -- null for all orgs
    alert_id TEXT NOT NULL,
    version INTEGER, -- of the alert; null where it was dropped
    alert TEXT, -- JSON; null where it was dropped
    put_at TEXT -- when this version was first put
) STRICT;

CREATE INDEX org_billing_alerts_by_org ON org_billing_alerts (org_id);

CREATE TRIGGER org_billing_alerts_no_update BEFORE UPDATE ON org_billing_alerts
BEGIN
    SELECT RAISE (ABORT, 'alerts are append-only');
END;

CREATE TRIGGER org_billing_alerts_no_delete BEFORE DELETE ON org_billing_alerts
BEGIN
    SELECT RAISE (ABORT, 'alerts are append-only');
END;

CREATE TRIGGER org_billing_alerts_no_replace BEFORE INSERT ON org_billing_alerts
WHEN EXISTS (SELECT 1 FROM org_billing_alerts WHERE number = NEW.number)
BEGIN
    SELECT RAISE (ABORT, 'alerts are append-only');
END;

-- Alerts that fired, or were cleared: kept in the transaction of the usage that did it.
CREATE TABLE org_billing_fired_alerts (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    org_id TEXT NOT NULL,
    billing_period_start TEXT NOT NULL,
    billing_period_end TEXT NOT NULL,
    alert_key TEXT NOT NULL, -- the digest of alert, version, subject and period, and a number
    fired TEXT NOT NULL, -- JSON
    UNIQUE (org_id, alert_key)
) STRICT;

CREATE INDEX org_billing_fired_alerts_by_period ON org_billing_fired_alerts
(org_id, billing_period_start, billing_period_end);

CREATE TRIGGER org_billing_fired_alerts_no_update
BEFORE UPDATE ON org_billing_fired_alerts
BEGIN
    SELECT RAISE (ABORT, 'alerts that fired are append-only');
END;

CREATE TRIGGER org_billing_fired_alerts_no_delete
BEFORE DELETE ON org_billing_fired_alerts
BEGIN
    SELECT RAISE (ABORT, 'alerts that fired are append-only');
END;

CREATE TRIGGER org_billing_fired_alerts_no_replace
BEFORE INSERT ON org_billing_fired_alerts
WHEN EXISTS (
    SELECT 1 FROM org_billing_fired_alerts
    WHERE number = NEW.number OR (org_id = NEW.org_id AND alert_key = NEW.alert_key)
)
BEGIN
    SELECT RAISE (ABORT, 'alerts that fired are append-only');
END;

-- Alerts that someone has seen.
CREATE TABLE org_billing_alert_acknowledgements (
    org_id TEXT NOT NULL,
    alert_key TEXT NOT NULL,
    acknowledged_at TEXT NOT NULL,
    acknowledged_by TEXT,
    PRIMARY KEY (org_id, alert_key)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER org_billing_alert_acknowledgements_no_update
BEFORE UPDATE ON org_billing_alert_acknowledgements
BEGIN
    SELECT RAISE (ABORT, 'acknowledgements are append-only');
END;

CREATE TRIGGER org_billing_alert_acknowledgements_no_delete
BEFORE DELETE ON org_billing_alert_acknowledgements
BEGIN
    SELECT RAISE (ABORT, 'acknowledgements are append-only');
END;

CREATE TRIGGER org_billing_alert_acknowledgements_no_replace
BEFORE INSERT ON org_billing_alert_acknowledgements
WHEN EXISTS (
    SELECT 1 FROM org_billing_alert_acknowledgements
    WHERE org_id = NEW.org_id AND alert_key = NEW.alert_key
)
BEGIN
    SELECT RAISE (ABORT, 'acknowledgements are append-only');
END;

-- Units that are held for a time. A row is added once, and its outcome once: then they are used, or
-- given back. Instants have six decimals always, so that they sort as they follow each other.
CREATE TABLE org_billing_reservations (
    org_id TEXT NOT NULL,
    key TEXT NOT NULL,
    units TEXT NOT NULL, -- JSON: quantities by metric
    billing_period_start TEXT NOT NULL, -- in which they count
    billing_period_end TEXT NOT NULL,
    reserved_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    fingerprint TEXT NOT NULL, -- of the request
    outcome TEXT, -- 'committed' or 'released'
    used TEXT NOT NULL, -- JSON: quantities by metric, of one that is committed
    ended_at TEXT,
    PRIMARY KEY (org_id, key)
) STRICT, WITHOUT ROWID;

-- It has all that is asked of holds, and none that ended.
CREATE INDEX org_billing_reservations_open ON org_billing_reservations
(org_id, expires_at, reserved_at, units) WHERE outcome IS NULL;

CREATE TRIGGER org_billing_reservations_no_update BEFORE UPDATE ON org_billing_reservations
WHEN OLD.outcome IS NOT NULL OR NEW.outcome IS NULL
BEGIN
    SELECT RAISE (ABORT, 'reservations are append-only, and end once');
END;

CREATE TRIGGER org_billing_reservations_no_change BEFORE UPDATE OF
org_id, key, units, billing_period_start, billing_period_end, reserved_at, expires_at, fingerprint
ON org_billing_reservations
BEGIN
    SELECT RAISE (ABORT, 'reservations are append-only, and end once');
END;

CREATE TRIGGER org_billing_reservations_no_delete BEFORE DELETE ON org_billing_reservations
BEGIN
    SELECT RAISE (ABORT, 'reservations are append-only, and end once');
END;

CREATE TRIGGER org_billing_reservations_no_replace BEFORE INSERT ON org_billing_reservations
WHEN EXISTS (
    SELECT 1 FROM org_billing_reservations WHERE org_id = NEW.org_id AND key = NEW.key
)
BEGIN
    SELECT RAISE (ABORT, 'reservations are append-only, and end once');
END;

-- Periods that are closed: the balance that the next one starts from, and the final settlement. A
-- forced correction of one adds a row with the next number.
CREATE TABLE org_billing_closings (
    org_id TEXT NOT NULL,
    billing_period_start TEXT NOT NULL,
    billing_period_end TEXT NOT NULL,
    number INTEGER NOT NULL,
    balance TEXT NOT NULL, -- JSON
    grants TEXT NOT NULL, -- JSON: those that were known
    settlement TEXT NOT NULL, -- JSON, with references for plans, and without the balance
    usage_seal TEXT NOT NULL, -- how much usage was counted, and its digest
    closed_at TEXT NOT NULL,
    sequence INTEGER NOT NULL, -- in the org's chain
    id TEXT NOT NULL, -- the digest
    PRIMARY KEY (org_id, billing_period_start, billing_period_end, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER org_billing_closings_no_update BEFORE UPDATE ON org_billing_closings
BEGIN
    SELECT RAISE (ABORT, 'closings are append-only');
END;

CREATE TRIGGER org_billing_closings_no_delete BEFORE DELETE ON org_billing_closings
BEGIN
    SELECT RAISE (ABORT, 'closings are append-only');
END;

CREATE TRIGGER org_billing_closings_no_replace BEFORE INSERT ON org_billing_closings
WHEN EXISTS (
    SELECT 1 FROM org_billing_closings WHERE org_id = NEW.org_id
    AND billing_period_start = NEW.billing_period_start
    AND billing_period_end = NEW.billing_period_end AND number = NEW.number
)
BEGIN
    SELECT RAISE (ABORT, 'closings are append-only');
END;

-- The entries of each account's history: its first terms, then each change, as they were noted.
CREATE TABLE org_billing_accounts (
    org_id TEXT NOT NULL,
    place INTEGER NOT NULL, -- 0 for the first terms
    entry TEXT NOT NULL, -- JSON
    noted_at TEXT,
    noted_by TEXT,
    reason TEXT,
    PRIMARY KEY (org_id, place)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER org_billing_accounts_no_update BEFORE UPDATE ON org_billing_accounts
BEGIN
    SELECT RAISE (ABORT, 'an entry of an account never changes');
END;

CREATE TRIGGER org_billing_accounts_no_delete BEFORE DELETE ON org_billing_accounts
BEGIN
    SELECT RAISE (ABORT, 'an entry of an account never changes');
END;

CREATE TRIGGER org_billing_accounts_no_replace BEFORE INSERT ON org_billing_accounts
WHEN EXISTS (
    SELECT 1 FROM org_billing_accounts WHERE org_id = NEW.org_id AND place = NEW.place
)
BEGIN
    SELECT RAISE (ABORT, 'an entry of an account never changes');
END;

CREATE TABLE org_billing_plans (
    slug TEXT NOT NULL,
    version INTEGER NOT NULL,
    plan TEXT NOT NULL, -- JSON
    PRIMARY KEY (slug, version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER org_billing_plans_no_update BEFORE UPDATE ON org_billing_plans
BEGIN
    SELECT RAISE (ABORT, 'a version of a plan never changes');
END;

CREATE TRIGGER org_billing_plans_no_delete BEFORE DELETE ON org_billing_plans
BEGIN
    SELECT RAISE (ABORT, 'a version of a plan never changes');
END;

CREATE TRIGGER org_billing_plans_no_replace BEFORE INSERT ON org_billing_plans
WHEN EXISTS (SELECT 1 FROM org_billing_plans WHERE slug = NEW.slug AND version = NEW.version)
BEGIN
    SELECT RAISE (ABORT, 'a version of a plan never changes');
END;

-- From when versions are in force; of one instant, the row that came last counts.
CREATE TABLE org_billing_plan_starts (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    slug TEXT NOT NULL,
    since TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE INDEX org_billing_plan_starts_by_slug ON org_billing_plan_starts (slug);

CREATE TRIGGER org_billing_plan_starts_no_update BEFORE UPDATE ON org_billing_plan_starts
BEGIN
    SELECT RAISE (ABORT, 'when a version of a plan came into force never changes');
END;

CREATE TRIGGER org_billing_plan_starts_no_delete BEFORE DELETE ON org_billing_plan_starts
BEGIN
    SELECT RAISE (ABORT, 'when a version of a plan came into force never changes');
END;

CREATE TRIGGER org_billing_plan_starts_no_replace BEFORE INSERT ON org_billing_plan_starts
WHEN EXISTS (SELECT 1 FROM org_billing_plan_starts WHERE number = NEW.number)
BEGIN
    SELECT RAISE (ABORT, 'when a version of a plan came into force never changes');
END;

-- The rules by which usage is worked out of events; of one name, the row that came last counts.
CREATE TABLE org_billing_metrics (
    number INTEGER PRIMARY KEY, -- in the order in which they came
    name TEXT NOT NULL,
    metric TEXT NOT NULL -- JSON
) STRICT;

CREATE TRIGGER org_billing_metrics_no_update BEFORE UPDATE ON org_billing_metrics
BEGIN
    SELECT RAISE (ABORT, 'metrics are append-only');
END;

CREATE TRIGGER org_billing_metrics_no_delete BEFORE DELETE ON org_billing_metrics
BEGIN
    SELECT RAISE (ABORT, 'metrics are append-only');
END;

CREATE TRIGGER org_billing_metrics_no_replace BEFORE INSERT ON org_billing_metrics
WHEN EXISTS (SELECT 1 FROM org_billing_metrics WHERE number = NEW.number)
BEGIN
    SELECT RAISE (ABORT, 'metrics are append-only');
END;

-- What goes out to other systems, noted before it is sent. A row is added once, and delivered once.
CREATE TABLE org_billing_outbox (
    org_id TEXT NOT NULL,
    destination TEXT NOT NULL, -- the other system, and the account there
    id TEXT NOT NULL, -- for a record, its id
    request TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL, -- 'open', 'failed' or 'delivered'
    reference TEXT, -- what the other system calls it
    PRIMARY KEY (org_id, destination, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER org_billing_outbox_no_update BEFORE UPDATE ON org_billing_outbox
WHEN OLD.state = 'delivered' OR OLD.org_id <> NEW.org_id OR OLD.destination <> NEW.destination
OR OLD.id <> NEW.id
BEGIN
    SELECT RAISE (ABORT, 'what is delivered can not change, or it would arrive twice');
END;

CREATE TRIGGER org_billing_outbox_no_delete BEFORE DELETE ON org_billing_outbox
BEGIN
    SELECT RAISE (ABORT, 'what may have been sent must not be forgotten');
END;

CREATE TRIGGER org_billing_outbox_no_replace BEFORE INSERT ON org_billing_outbox
WHEN EXISTS (
    SELECT 1 FROM org_billing_outbox
    WHERE org_id = NEW.org_id AND destination = NEW.destination AND id = NEW.id
)
BEGIN
    SELECT RAISE (ABORT, 'what may have been sent must not be forgotten');
END;
