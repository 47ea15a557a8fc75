-- One row per entity, metric and as_of: what is known about its rate, by partial pooling.
--
-- A chain of Gamma-Poisson steps: days lie around their week, weeks around an entity's present, ads
-- around their ad set, ad sets around their campaign, campaigns around the account. The relative
-- variance of each step is estimated from the account itself; what passes a step is weakened by it
-- (ads.passed_share). So recent days weigh more the more rates move, and siblings weigh more the
-- more alike they are. An entity's prior is its parent's posterior without the entity's own events,
-- so that nothing counts twice (Jewell's hierarchical credibility: Buehlmann and Gisler 2005,
-- chapter 6).
--
-- Both sides of a full join have the same keys here. An inner join would mean the same, but on rows
-- that were never analyzed the planner takes it for one of single rows and compares all with all.
create or replace view ads.entity_evidence
with (security_invoker = true) as
select
  c.as_of,
  a.config_id,
  m.metric,
  t.entity_type,
  e.entity_id,
  e.parent_id,
  e.events,
  e.exposure,
  e.prior_events as prior_alpha,
  e.prior_exposure as prior_beta,
  e.prior_events + e.events as alpha,
  e.prior_exposure + e.exposure as beta
from ads.calendar c
cross join ads.accounts a
cross join (values ('cpl'), ('ctr'), ('conversion_rate')) m (metric)
cross join (values ('campaign'), ('adset'), ('ad')) t (entity_type)
cross join lateral (
  with
  ad_weeks as materialized (
    select
      d.campaign_id,
      d.adset_id,
      d.ad_id,
      d.week,
      sum(d.events) as events,
      sum(d.exposure) as exposure,
      sum(d.events * d.events) as events_squared,
      sum(d.events * d.exposure) as events_exposure,
      sum(d.exposure * d.exposure) as exposure_squared,
      sum(d.exposure * d.exposure * d.exposure) as exposure_cubed
    from (
      select
        i.campaign_id,
        i.adset_id,
        i.ad_id,
        least((c.as_of - i.date) / 7, 3) as week,
        (case m.metric when 'ctr' then i.clicks else i.leads end)::double precision as events,
        case m.metric
          when 'cpl' then i.spend_double
          when 'ctr' then i.impressions::double precision
          else i.clicks::double precision
        end as exposure
      from ads.insights i
      where i.config_id = a.config_id
        and i.date between c.as_of - 29 and c.as_of
      -- Keeps the planner from repeating the choice of the metric in each of the sums.
      offset 0
    ) d
    group by d.campaign_id, d.adset_id, d.ad_id, d.week
  ),
  -- From here on exposure is measured by the events that the account's own rate makes of it.
  account as materialized (
    select (sum(w.events) + 0.5) / nullif(sum(w.exposure), 0) as rate
    from ad_weeks w
  ),
  -- A parent's rate is that of the mix of ads which it runs now, and budgets wander. So what an ad
  -- did in an earlier week counts by its exposure in the last one; and the less of the mix of now
  -- ran in that week, the less all of it counts.
  mixes as materialized (
    select
      m.*,
      sum(m.exposure_now) over (partition by m.parent_id, m.week) as present_now,
      sum(m.exposure_now ^ 2 / nullif(m.exposure, 0)) over (partition by m.parent_id, m.week)
        as spread,
      sum(m.exposure) filter (where m.week = 0) over (partition by m.parent_id) as parent_now
    from (
      select
        w.*,
        case t.entity_type when 'adset' then w.adset_id else w.campaign_id end as parent_id,
        coalesce(
          sum(w.exposure) filter (where w.week = 0)
            over (partition by w.campaign_id, w.adset_id, w.ad_id),
          0
        ) as exposure_now
      from ad_weeks w
      where t.entity_type <> 'ad'
    ) m
  ),
  -- One walk per level: an ad set moves as a whole, not as each of its ads.
  entity_weeks as materialized (
    select
      'ad' as entity_type,
      w.campaign_id,
      w.adset_id,
      w.ad_id as entity_id,
      w.week,
      w.events,
      w.exposure * r.rate as expected,
      w.events_squared,
      w.events_exposure * r.rate as events_expected,
      w.exposure_squared * r.rate ^ 2 as expected_squared,
      w.exposure_cubed * r.rate ^ 3 as expected_cubed
    from ad_weeks w
    cross join account r
    union all
    select
      t.entity_type,
      w.campaign_id,
      case t.entity_type when 'adset' then w.adset_id end,
      w.parent_id,
      w.week,
      sum(f.factor * w.events),
      sum(f.factor * w.exposure * r.rate),
      sum(f.factor ^ 2 * w.events_squared),
      sum(f.factor ^ 2 * w.events_exposure * r.rate),
      sum(f.factor ^ 2 * w.exposure_squared * r.rate ^ 2),
      sum(f.factor ^ 3 * w.exposure_cubed * r.rate ^ 3)
    from mixes w
    cross join account r
    cross join lateral (
      -- present_now / spread makes the weighted sum as sure as that many events are (Kish 1965).
      select
        case
          when w.parent_now > 0 and w.exposure > 0
            then coalesce(
              (w.present_now / w.parent_now) ^ 2
                * w.present_now / nullif(w.spread, 0)
                * w.exposure_now / w.exposure,
              0
            )
          else 1
        end as factor
    ) f
    group by 2, 3, 4, w.week
  ),
  day_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          w.events, w.expected, w.events_squared, w.events_expected, w.expected_squared
        )),
        sum(ads.variation_size(w.events, w.expected, w.expected_squared, w.expected_cubed)),
        0
      ) as variance
    from entity_weeks w
    where w.entity_type = 'ad'
      and w.expected > 0
  ),
  entity_spans as materialized (
    select
      w.entity_type,
      w.campaign_id,
      w.adset_id,
      w.entity_id,
      sum(p.share * w.events) as events,
      sum(p.share * w.expected) as expected,
      sum((p.share * w.events) ^ 2) as events_squared,
      sum(p.share * w.events * p.share * w.expected) as events_expected,
      sum((p.share * w.expected) ^ 2) as expected_squared,
      sum((p.share * w.expected) ^ 3) as expected_cubed,
      coalesce(sum(p.share * w.events) filter (where w.week = 0), 0) as events_0,
      coalesce(sum(p.share * w.events) filter (where w.week = 1), 0) as events_1,
      coalesce(sum(p.share * w.events) filter (where w.week = 2), 0) as events_2,
      coalesce(sum(p.share * w.events) filter (where w.week = 3), 0) as events_3,
      coalesce(sum(p.share * w.expected) filter (where w.week = 0), 0) as expected_0,
      coalesce(sum(p.share * w.expected) filter (where w.week = 1), 0) as expected_1,
      coalesce(sum(p.share * w.expected) filter (where w.week = 2), 0) as expected_2,
      coalesce(sum(p.share * w.expected) filter (where w.week = 3), 0) as expected_3
    from entity_weeks w
    cross join day_step s
    cross join lateral (
      select
        ads.passed_share(
          coalesce(w.expected_squared / nullif(w.expected, 0), 0), s.variance
        ) as share
    ) p
    group by w.entity_type, w.campaign_id, w.adset_id, w.entity_id
  ),
  -- If the rate walks by v a week, the means of weeks spread by 2/3 v around their common mean,
  -- each lies 2/3 v from the one before, and the last one 1/3 v from where the walk stands now.
  week_step as materialized (
    select
      w.entity_type,
      ads.relative_variance(
        sum(ads.excess_variation(
          w.events, w.expected, w.events_squared, w.events_expected, w.expected_squared
        )),
        sum(ads.variation_size(w.events, w.expected, w.expected_squared, w.expected_cubed)),
        0
      ) as variance
    from entity_spans w
    where w.expected > 0
    group by w.entity_type
  ),
  entities_now as materialized (
    select
      w.entity_type,
      w.campaign_id,
      w.adset_id,
      w.entity_id,
      p0.share * (
        w.events_0 + p1.share * (w.events_1 + p2.share * (w.events_2 + p3.share * w.events_3))
      ) as events,
      p0.share * w0.expected as expected
    from entity_spans w
    left join week_step s
      on s.entity_type = w.entity_type
    cross join lateral (
      select ads.passed_share(w.expected_3, coalesce(s.variance, 0)) as share
    ) p3
    cross join lateral (select w.expected_2 + p3.share * w.expected_3 as expected) w2
    cross join lateral (
      select ads.passed_share(w2.expected, coalesce(s.variance, 0)) as share
    ) p2
    cross join lateral (select w.expected_1 + p2.share * w2.expected as expected) w1
    cross join lateral (
      select ads.passed_share(w1.expected, coalesce(s.variance, 0)) as share
    ) p1
    cross join lateral (select w.expected_0 + p1.share * w1.expected as expected) w0
    cross join lateral (
      select ads.passed_share(w0.expected, coalesce(s.variance, 0) / 2) as share
    ) p0
  ),
  parents_now as (
    select
      n.entity_id,
      n.events,
      n.expected
    from entities_now n
    where n.entity_type <> 'ad'
  ),
  -- From the bottom up: what each child tells about the centre of its siblings.
  ad_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        )),
        sum(ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed)),
        0.1
      ) as variance
    from (
      select
        sum(n.events) as events,
        sum(n.expected) as expected,
        sum(n.events ^ 2) as events_squared,
        sum(n.events * n.expected) as events_expected,
        sum(n.expected ^ 2) as expected_squared,
        sum(n.expected ^ 3) as expected_cubed
      from entities_now n
      where n.entity_type = 'ad'
      group by n.adset_id
    ) x
    where x.expected > 0
  ),
  ads_now as materialized (
    select
      n.campaign_id,
      n.adset_id,
      n.entity_id as ad_id,
      n.events,
      n.expected,
      -- Leads without any spend (late ones of a stopped ad) are no evidence about a rate.
      case when n.expected > 0 then p.share * n.events else 0 end as passed_events,
      p.share * n.expected as passed_expected
    from entities_now n
    cross join ad_step s
    cross join lateral (select ads.passed_share(n.expected, s.variance) as share) p
    where n.entity_type = 'ad'
  ),
  adset_centres as materialized (
    select
      x.campaign_id,
      x.adset_id,
      sum(x.expected) as expected,
      sum(x.expected ^ 2) as expected_squared,
      sum(x.passed_events) as centre_events,
      sum(x.passed_expected) as centre_expected
    from ads_now x
    group by x.campaign_id, x.adset_id
  ),
  adset_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        )),
        sum(ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed)),
        0.1
      ) as variance
    from (
      select
        sum(n.centre_events) as events,
        sum(n.centre_expected) as expected,
        sum(n.centre_events ^ 2) as events_squared,
        sum(n.centre_events * n.centre_expected) as events_expected,
        sum(n.centre_expected ^ 2) as expected_squared,
        sum(n.centre_expected ^ 3) as expected_cubed
      from adset_centres n
      group by n.campaign_id
    ) x
    where x.expected > 0
  ),
  adsets_now as materialized (
    select
      n.*,
      p.share * n.centre_events as passed_events,
      p.share * n.centre_expected as passed_expected
    from adset_centres n
    cross join adset_step s
    cross join lateral (select ads.passed_share(n.centre_expected, s.variance) as share) p
  ),
  campaign_centres as materialized (
    select
      x.campaign_id,
      sum(x.expected) as expected,
      sum(x.expected ^ 2) as adset_expected_squared,
      sum(x.expected_squared) as ad_expected_squared,
      sum(x.passed_events) as centre_events,
      sum(x.passed_expected) as centre_expected
    from adsets_now x
    group by x.campaign_id
  ),
  campaign_step as materialized (
    select
      ads.relative_variance(
        ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        ),
        ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed),
        0.1
      ) as variance
    from (
      select
        sum(n.centre_events) as events,
        nullif(sum(n.centre_expected), 0) as expected,
        sum(n.centre_events ^ 2) as events_squared,
        sum(n.centre_events * n.centre_expected) as events_expected,
        sum(n.centre_expected ^ 2) as expected_squared,
        sum(n.centre_expected ^ 3) as expected_cubed
      from campaign_centres n
    ) x
  ),
  campaigns_now as materialized (
    select
      n.*,
      p.share * n.centre_events as passed_events,
      p.share * n.centre_expected as passed_expected
    from campaign_centres n
    cross join campaign_step s
    cross join lateral (select ads.passed_share(n.centre_expected, s.variance) as share) p
  ),
  -- From the top down: what all others tell, weakened by each step on the way. Half an event is
  -- Jeffreys' prior of a rate of which nothing is known.
  campaign_priors as materialized (
    select
      x.*,
      p.share * x.other_events as prior_events,
      p.share * x.other_expected as prior_expected
    from (
      select
        n.*,
        0.5 + greatest(sum(n.passed_events) over () - n.passed_events, 0) as other_events,
        greatest(sum(n.passed_expected) over () - n.passed_expected, 0) as other_expected
      from campaigns_now n
    ) x
    cross join campaign_step s
    cross join lateral (select ads.passed_share(x.other_expected, s.variance) as share) p
  ),
  adset_priors as materialized (
    select
      x.*,
      p.share * o.events as prior_events,
      p.share * o.expected as prior_expected
    from adsets_now x
    full join campaign_priors u
      on u.campaign_id = x.campaign_id
    cross join adset_step s
    cross join lateral (
      select
        u.prior_events + greatest(u.centre_events - x.passed_events, 0) as events,
        u.prior_expected + greatest(u.centre_expected - x.passed_expected, 0) as expected
    ) o
    cross join lateral (select ads.passed_share(o.expected, s.variance) as share) p
  ),
  -- A parent's own rate is the mix of its children's: it lies around the centre by what the mix
  -- leaves of their variance.
  posteriors as (
    select
      'campaign' as entity_type,
      x.campaign_id as entity_id,
      null::text as parent_id,
      n.events,
      n.expected,
      p.share * x.prior_events as prior_events,
      p.share * x.prior_expected as prior_expected
    from campaign_priors x
    full join parents_now n
      on n.entity_id = x.campaign_id
    cross join adset_step v
    cross join ad_step w
    cross join lateral (
      select
        ads.passed_share(
          x.prior_expected,
          coalesce(
            (v.variance * x.adset_expected_squared + w.variance * x.ad_expected_squared)
              / nullif(x.expected, 0) ^ 2,
            0
          )
        ) as share
    ) p
    union all
    select
      'adset',
      x.adset_id,
      x.campaign_id,
      n.events,
      n.expected,
      p.share * x.prior_events,
      p.share * x.prior_expected
    from adset_priors x
    full join parents_now n
      on n.entity_id = x.adset_id
    cross join ad_step w
    cross join lateral (
      select
        ads.passed_share(
          x.prior_expected,
          coalesce(w.variance * x.expected_squared / nullif(x.expected, 0) ^ 2, 0)
        ) as share
    ) p
    union all
    select
      'ad',
      x.ad_id,
      x.adset_id,
      x.events,
      x.expected,
      p.share * o.events,
      p.share * o.expected
    from ads_now x
    full join adset_priors u
      on u.adset_id = x.adset_id
    cross join ad_step w
    cross join lateral (
      select
        u.prior_events + greatest(u.centre_events - x.passed_events, 0) as events,
        u.prior_expected + greatest(u.centre_expected - x.passed_expected, 0) as expected
    ) o
    cross join lateral (select ads.passed_share(o.expected, w.variance) as share) p
    where x.ad_id is distinct from x.adset_id
  )
  select
    p.entity_id,
    p.parent_id,
    p.events,
    p.expected / r.rate as exposure,
    p.prior_events,
    p.prior_expected / r.rate as prior_exposure
  from posteriors p
  cross join account r
  where p.entity_type = t.entity_type
) e;

comment on view ads.entity_evidence is
  'Posterior of each entity''s rate as of a day. cpl: leads per unit of spend, Gamma(alpha, beta), '
  'the CPL being its inverse. ctr: clicks per impression, conversion_rate: leads per click, both '
  'Beta(alpha, beta - alpha). Uses the 30 days to as_of; an entity without a row there has none.';
comment on column ads.entity_evidence.metric is 'cpl, ctr or conversion_rate; filter it to one.';
comment on column ads.entity_evidence.events is
  'Own leads (ctr: clicks), as many recent and independent ones as they are worth; those of a '
  'parent in the mix of ads that it ran in the last 7 days.';
comment on column ads.entity_evidence.exposure is
  'What they came from, weighted alike: spend, impressions or clicks. Null, as beta and '
  'prior_beta, where the whole account has none.';
comment on column ads.entity_evidence.prior_alpha is
  'What all other entities tell about this one, in events.';
comment on column ads.entity_evidence.prior_beta is
  'What all other entities tell about this one, in exposure.';
comment on column ads.entity_evidence.alpha is 'Prior and own events.';
comment on column ads.entity_evidence.beta is 'Prior and own exposure.';
