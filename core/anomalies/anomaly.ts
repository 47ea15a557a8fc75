/** What can stand out, how much, and what became of it. */

/** The kinds of anomalies. */
export const ANOMALY_TYPES = [
  "spend_spike",
  "spend_drop",
  "cpl_spike",
  "cpl_drop",
  "ctr_spike",
  "ctr_drop",
  "performance_spike",
  "performance_drop",
  "frequency_alert",
  "reach_saturation",
  "zero_spend",
  "zero_impressions",
  "tracking_break",
] as const;

/** A kind of anomaly. */
export type AnomalyType = typeof ANOMALY_TYPES[number];

/** How much an anomaly matters, from the least. */
export const SEVERITIES = ["LOW", "MEDIUM", "HIGH", "CRITICAL"] as const;

/** How much an anomaly matters. */
export type Severity = typeof SEVERITIES[number];

/** What can become of an anomaly: it waits for somebody, or somebody took note, or its day changed. */
export const ANOMALY_STATUSES = ["open", "closed"] as const;

/** What can become of an incident: it goes on, or its numbers are as usual again. */
export const INCIDENT_STATES = ["open", "recovered"] as const;
