-- Back to a database without tables of ours; their indexes and triggers go with them. Only where
-- none of them has a row: DROP TABLE asks no trigger.

DROP TABLE org_billing_overages;
DROP TABLE org_billing_chain_heads;
DROP TABLE org_billing_usage_monthly;
DROP TABLE org_billing_usage_events;
DROP TABLE org_billing_usage_withdrawals;
DROP TABLE org_billing_usage_sums;
DROP TABLE org_billing_usage_puts;
DROP TABLE org_billing_usage_batch_events;
DROP TABLE org_billing_usage_batches;
DROP TABLE org_billing_grants;
DROP TABLE org_billing_budgets;
DROP TABLE org_billing_alerts;
DROP TABLE org_billing_fired_alerts;
DROP TABLE org_billing_alert_acknowledgements;
DROP TABLE org_billing_reservations;
DROP TABLE org_billing_closings;
DROP TABLE org_billing_accounts;
DROP TABLE org_billing_plans;
DROP TABLE org_billing_plan_starts;
DROP TABLE org_billing_metrics;
DROP TABLE org_billing_outbox;
