/** Runs of jobs, `ads.job_runs`: how instances share them, and what became of them. */
import { yesterdayIn } from "../core/days.ts";
import type { Level } from "../core/level.ts";
import type { Queries, Sql, Transaction } from "./connect.ts";
import { inTransaction } from "./transaction.ts";

/** What a run read, wrote and left out. */
export type Counts = Record<string, number | string | null>;

/** What a run is about: one job on one level of one account, as of a day. */
export type RunSubject = { job: string; configId: number; entityType: Level; asOf: string };

/** What can become of a run. */
export const RUN_STATUSES = ["waiting", "running", "succeeded", "failed", "skipped"] as const;

/** What has become of a run. */
export type RunStatus = typeof RUN_STATUSES[number];

/** One run of a job for one account and level. */
export type JobRun = {
  config_id: number;
  id: number;
  job: string;
  entity_type: Level;
  as_of: string;
  status: RunStatus;
  /** How often it was tried, the present try included. */
  attempt: number;
  counts: Counts;
  versions: Record<string, string>;
  error: string | null;
  scheduled_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
};

/** A run that a worker has claimed. Whoever else claims it later has another worker or attempt. */
export type ClaimedRun = RunSubject & {
  id: number;
  scheduledAt: Date;
  isRecomputation: boolean;
  attempt: number;
  worker: string;
};

/** Who claims, when, and until when they promise to be alive or to say so again. */
export type Claim = { worker: string; at: Date; leaseUntil: Date };

/** How often a run is tried before it has failed. */
export const TRIES = 3;

/** How long a run waits for the jobs that have to succeed before it, in hours. */
export const PATIENCE_HOURS = 6;

/**
 * Enters the runs of one scheduled time for all active accounts, each as of the last complete day of
 * its own time zone, and for each earlier day whose insights have changed since. Entering
 * them again, here or on another instance, changes nothing. A run of an earlier time that nobody has
 * claimed yet is skipped for this one; where one is still running, this one is skipped.
 */
export async function enterScheduledRuns(
  sql: Sql,
  { job, entityType, scheduledAt, enteredAt, waitsFor, recomputes }: {
    job: string;
    entityType: Level;
    scheduledAt: Date;
    enteredAt: Date;
    waitsFor: readonly string[];
    /** Whether earlier days are worked on again. */
    recomputes: boolean;
  },
): Promise<void> {
  await inTransaction(sql, async (transaction) => {
    await transaction`
      update ads.job_runs
      set
        status = 'skipped',
        error = 'A newer run was due before this one began',
        finished_at = ${scheduledAt}
      where status = 'waiting'
        and job = ${job}
        and entity_type = ${entityType}
        and attempt = 0
        and scheduled_at < ${scheduledAt}`;
    const zones = await transaction<{ time_zone: string }[]>`
      select distinct time_zone from ads.accounts where is_active`;
    // Here and not in SQL, where one unknown zone would fail the statement for all accounts.
    const days = zones.map(({ time_zone }) => ({
      time_zone,
      ...yesterday(time_zone, scheduledAt),
    }));
    await transaction`
      insert into ads.job_runs (
        config_id, job, entity_type, as_of, status, error, scheduled_at, is_scheduled,
        is_recomputation, waits_for, size, attempt, claimable_at
      )
      select
        a.config_id,
        ${job},
        ${entityType},
        d.as_of,
        case when z.error is not null then 'failed' when b.is_busy then 'skipped' else 'waiting' end,
        case when b.is_busy then 'The run before this one had not ended yet' else z.error end,
        ${scheduledAt},
        true,
        d.is_recomputation,
        ${[...waitsFor]}::text[],
        (select count(*) from ads.ads where config_id = a.config_id),
        0,
        ${enteredAt}
      from ads.accounts a
      join unnest(
        ${days.map((day) => day.time_zone)}::text[],
        ${days.map((day) => day.asOf)}::date[],
        ${days.map((day) => day.error)}::text[]
      ) z (time_zone, yesterday, error)
        on z.time_zone = a.time_zone
      cross join lateral (
        select exists (
          select
          from ads.job_runs r
          where r.config_id = a.config_id
            and r.job = ${job}
            and r.entity_type = ${entityType}
            and r.status = 'running'
            and r.is_scheduled
        ) as is_busy
      ) b
      cross join lateral (
        select
          days.as_of,
          bool_or(days.is_recomputation) as is_recomputation
        from (
          select z.yesterday as as_of, false as is_recomputation
          union all
          select s.as_of, true
          from ads.stale_runs s
          where ${recomputes}
            and s.config_id = a.config_id
            and s.job = ${job}
            and s.entity_type = ${entityType}
            and s.as_of <= z.yesterday
        ) days
        group by days.as_of
      ) d
      where a.is_active
      on conflict do nothing`;
  });
}

/** The last complete day of a zone, or that of UTC and what is wrong with the zone. */
function yesterday(timeZone: string, at: Date): { asOf: string; error: string | null } {
  try {
    return { asOf: yesterdayIn(timeZone, at), error: null };
  } catch {
    return { asOf: yesterdayIn("UTC", at), error: `There is no time zone "${timeZone}"` };
  }
}

/**
 * Claims the largest waiting run, or the smallest, or one whose worker has not renewed its lease.
 * Two workers never claim the same run.
 *
 * @param jobs Only these.
 */
export async function claimRun(
  sql: Sql,
  { worker, at, leaseUntil }: Claim,
  jobs: string[],
  smallestFirst: boolean,
): Promise<ClaimedRun | null> {
  const [run] = await sql<ClaimedRow[]>`
    update ads.job_runs r
    set
      status = 'running',
      attempt = r.attempt + 1,
      worker = ${worker},
      lease_until = ${leaseUntil},
      started_at = ${at},
      error = null
    from (
      select w.config_id, w.id
      from ads.job_runs w
      where w.status in ('waiting', 'running')
        and w.is_scheduled
        and w.job = any(${jobs})
        and w.attempt < ${TRIES}
        and case w.status
          when 'waiting' then w.claimable_at <= ${at}
          else w.lease_until < ${at}
        end
        and not exists (
          select
          from ads.job_runs other
          where other.config_id = w.config_id
            and other.job = w.job
            and other.entity_type = w.entity_type
            and other.status = 'running'
            and other.id <> w.id
        )
        and not exists (
          select
          from unnest(w.waits_for) other (job)
          where not exists (
            select
            from ads.job_runs s
            where s.config_id = w.config_id
              and s.job = other.job
              and s.entity_type = w.entity_type
              -- After a night without any service, only the newest day of that job is caught up on.
              and s.as_of >= w.as_of
              and s.status = 'succeeded'
          )
        )
      order by w.size ${smallestFirst ? sql`asc` : sql`desc`}, w.claimable_at, w.id
      limit 1
      for update skip locked
    ) next
    where r.config_id = next.config_id
      and r.id = next.id
    returning ${claimedColumns(sql)}`;
  return run ? claimed(run) : null;
}

/** Enters a run that somebody asked for and that begins now. Nobody takes it over. */
export async function enterRequestedRun(
  sql: Sql,
  { job, configId, entityType, asOf }: RunSubject,
  { worker, at, leaseUntil }: Claim,
): Promise<ClaimedRun> {
  const [run] = await sql<[ClaimedRow]>`
    insert into ads.job_runs as r (
      config_id, job, entity_type, as_of, status, scheduled_at, started_at, worker, lease_until
    )
    values (
      ${configId}, ${job}, ${entityType}, ${asOf}, 'running', ${at}, ${at}, ${worker}, ${leaseUntil}
    )
    returning ${claimedColumns(sql)}`;
  return claimed(run);
}

/** Promises to be alive for longer. False where the run is somebody else's by now, or has ended. */
export async function renewLease(sql: Sql, run: ClaimedRun, leaseUntil: Date): Promise<boolean> {
  const { count } = await sql`
    update ads.job_runs
    set lease_until = ${leaseUntil}
    where ${isClaimOf(sql, run)}`;
  return count === 1;
}

/**
 * Enters success, in the transaction of the work itself: both are stored, or neither. False where
 * somebody else has taken the run over; then the work must be rolled back.
 */
export async function succeedRun(
  sql: Transaction,
  run: ClaimedRun,
  { counts, versions, at }: { counts: Counts; versions: Record<string, string>; at: Date },
): Promise<boolean> {
  const { count } = await sql`
    update ads.job_runs
    set
      status = 'succeeded',
      counts = ${sql.json(counts)},
      versions = ${sql.json(versions)},
      finished_at = ${at}
    where ${isClaimOf(sql, run)}`;
  return count === 1;
}

/** Enters a failure: to be tried again from then on, or for good. */
export async function failRun(
  sql: Sql,
  run: ClaimedRun,
  { error, at, tryAgainAt }: { error: string; at: Date; tryAgainAt: Date | null },
): Promise<void> {
  await sql`
    update ads.job_runs
    set
      status = ${tryAgainAt ? "waiting" : "failed"},
      error = ${error},
      claimable_at = ${tryAgainAt},
      finished_at = ${tryAgainAt ? null : at},
      worker = null,
      lease_until = null
    where ${isClaimOf(sql, run)}`;
}

/** Gives a run back to all workers, as if it had never been claimed. */
export async function releaseRun(sql: Sql, run: ClaimedRun): Promise<void> {
  await sql`
    update ads.job_runs
    set
      status = 'waiting',
      attempt = attempt - 1,
      worker = null,
      lease_until = null
    where ${isClaimOf(sql, run)}`;
}

/**
 * Ends what nobody will end any more: runs that lost their worker too often, or that somebody asked
 * a process for which died, and runs whose predecessors never came.
 */
export async function endAbandonedRuns(sql: Sql, at: Date): Promise<void> {
  await sql`
    update ads.job_runs
    set
      status = 'failed',
      error = coalesce(error, 'The process that did it ended without a word'),
      finished_at = ${at}
    where status = 'running'
      and lease_until < ${at}
      and (not is_scheduled or attempt >= ${TRIES})`;
  const tooEarly = new Date(at.getTime() - PATIENCE_HOURS * 3_600_000);
  await sql`
    update ads.job_runs
    set
      status = 'skipped',
      error = 'Waited in vain for: ' || array_to_string(waits_for, ', '),
      finished_at = ${at}
    where status = 'waiting'
      and waits_for <> '{}'
      and attempt = 0
      -- Since when it could have been claimed: what is caught up on was due long ago.
      and claimable_at < ${tooEarly}`;
}

/** The newest runs of all accounts, the newest first. Each account is asked by its index. */
export function lastRuns(sql: Queries, limit: number): Promise<JobRun[]> {
  return sql<JobRun[]>`
    select ${runColumns(sql)}
    from ads.accounts a
    cross join lateral (
      select *
      from ads.job_runs
      where config_id = a.config_id and started_at is not null
      order by started_at desc
      limit ${limit}
    ) r
    order by r.started_at desc, r.id desc
    limit ${limit}`;
}

/** Which runs of an account are meant. What is not given does not matter. */
export type RunFilter = {
  configId: number;
  job?: string | undefined;
  entityType?: Level | undefined;
  status?: RunStatus | undefined;
};

/** Runs of one account, the newest first, those before the run with the id `after` if there is one. */
export function listRuns(
  sql: Queries,
  filter: RunFilter,
  { limit, offset, after }: { limit: number; offset: number; after?: number | undefined },
): Promise<JobRun[]> {
  return sql<JobRun[]>`
    select ${runColumns(sql)}
    from ads.job_runs r
    where ${matches(sql, filter)}
      ${after === undefined ? sql`` : sql`and r.id < ${after}`}
    order by r.id desc
    limit ${limit}
    offset ${offset}`;
}

/** How many runs match. */
export async function countRuns(sql: Queries, filter: RunFilter): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from ads.job_runs r where ${matches(sql, filter)}`;
  return row?.count ?? 0;
}

function matches(sql: Queries, { configId, job, entityType, status }: RunFilter) {
  return sql`
    r.config_id = ${configId}
    ${job === undefined ? sql`` : sql`and r.job = ${job}`}
    ${entityType === undefined ? sql`` : sql`and r.entity_type = ${entityType}`}
    ${status === undefined ? sql`` : sql`and r.status = ${status}`}`;
}

/** One run of any account. */
export async function findRun(sql: Queries, id: number): Promise<JobRun | undefined> {
  const [run] = await sql<JobRun[]>`
    select ${runColumns(sql)}
    from ads.job_runs r
    where r.id = ${id}`;
  return run;
}

/** What became of the newest scheduled time of a job on a level, over all accounts. */
export type JobState =
  & { job: string; entity_type: Level; scheduled_at: Date }
  & Record<
    RunStatus,
    number
  >;

/** The newest scheduled time of each job and level, and how far its runs are. */
export function newestJobStates(sql: Queries): Promise<JobState[]> {
  return sql<JobState[]>`
    select
      r.job,
      r.entity_type,
      r.scheduled_at,
      count(*) filter (where r.status = 'waiting') as waiting,
      count(*) filter (where r.status = 'running') as running,
      count(*) filter (where r.status = 'succeeded') as succeeded,
      count(*) filter (where r.status = 'failed') as failed,
      count(*) filter (where r.status = 'skipped') as skipped
    from ads.job_runs r
    join (
      select job, entity_type, max(scheduled_at) as scheduled_at
      from ads.job_runs
      where is_scheduled
      group by job, entity_type
    ) newest
      on newest.job = r.job
      and newest.entity_type = r.entity_type
      and newest.scheduled_at = r.scheduled_at
    where r.is_scheduled
    group by r.job, r.entity_type, r.scheduled_at`;
}

function runColumns(sql: Queries) {
  return sql`
    r.config_id, r.id, r.job, r.entity_type, r.as_of, r.status, r.attempt, r.counts, r.versions,
    r.error, r.scheduled_at, r.started_at, r.finished_at`;
}

type ClaimedRow = {
  config_id: number;
  id: number;
  job: string;
  entity_type: Level;
  as_of: string;
  scheduled_at: Date;
  is_recomputation: boolean;
  attempt: number;
  worker: string;
};

function claimedColumns(sql: Sql) {
  return sql`
    r.config_id, r.id, r.job, r.entity_type, r.as_of, r.scheduled_at, r.is_recomputation, r.attempt,
    r.worker`;
}

function claimed(row: ClaimedRow): ClaimedRun {
  return {
    id: row.id,
    job: row.job,
    configId: row.config_id,
    entityType: row.entity_type,
    asOf: row.as_of,
    scheduledAt: row.scheduled_at,
    isRecomputation: row.is_recomputation,
    attempt: row.attempt,
    worker: row.worker,
  };
}

function isClaimOf(sql: Sql | Transaction, { configId, id, worker, attempt }: ClaimedRun) {
  return sql`
    config_id = ${configId}
    and id = ${id}
    and status = 'running'
    and worker = ${worker}
    and attempt = ${attempt}`;
}
