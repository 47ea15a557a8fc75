/**
 * Why the cost per lead changed: CPL = CPM / (1000 x CTR x conversion rate), and where: which
 * children of a parent. Every split adds up to the whole change, whatever is zero.
 */

/** What was delivered over a period. */
export type Sums = { spend: number; impressions: number; clicks: number; leads: number };

/** What was delivered where nothing was. */
export const NOTHING: Sums = { spend: 0, impressions: 0, clicks: 0, leads: 0 };

/** The two periods that are compared. */
export type Sides = { before: Sums; after: Sums };

/** What changes: the CPL, or the leads where the CPL is undefined on a side. */
export const MEASURES = ["cpl", "leads"] as const;

/** One of them. */
export type Measure = (typeof MEASURES)[number];

/** What makes it change. */
export const FACTORS = ["spend", "cpm", "ctr", "conversion_rate"] as const;

/** One of them. */
export type Factor = (typeof FACTORS)[number];

/** A change and its parts, in the unit of the measure. The parts add up to the change. */
export type Change = { measure: Measure; change: number; parts: Record<Factor, number> };

/** What a child did to its parent: `rate` and `mix` add up to `contribution`. */
export type Contribution = {
  contribution: number;
  /** Because spend brought more or fewer leads there. */
  rate: number;
  /** Because more or less of the spend went there; of the leads, because more or less was spent. */
  mix: number;
};

/** The ratios of sums, null over zero. CTR and conversion rate are in percent. */
export function ratiosOf({ spend, impressions, clicks, leads }: Sums) {
  const per = (count: number, value: number) => count > 0 ? value / count : null;
  return {
    cpm: per(impressions, 1000 * spend),
    ctr: per(impressions, 100 * clicks),
    conversion_rate: per(clicks, 100 * leads),
    cpl: per(leads, spend),
  };
}

/** Sums brought to another length of time. */
export function scaleSums({ spend, impressions, clicks, leads }: Sums, factor: number): Sums {
  return {
    spend: factor * spend,
    impressions: factor * impressions,
    clicks: factor * clicks,
    leads: factor * leads,
  };
}

/**
 * Splits a change into its factors. They are the steps of a chain, spend to impressions to clicks to
 * leads. A rate that nothing can be divided by, such as the conversion rate of leads without clicks,
 * counts as unchanged: the step before it, which leads to the zero, has what both of them did.
 */
export function splitChange(sides: Sides): Change {
  return measureOf(sides) === "cpl" ? splitCpl(sides) : splitLeads(sides);
}

/**
 * The logarithmic mean Divisia index (LMDI; Ang 2004, Energy Policy 32): each factor gets the
 * logarithm of its own change times the logarithmic mean of both CPLs. That leaves nothing over,
 * needs no order of the factors, and only changes its sign when the sides are swapped. How much is
 * spent does not matter to a CPL.
 *
 * A CPL of zero, of leads for which nothing was spent, is a limit (Ang and Liu 2007, Energy Policy
 * 35): the logarithm of the spend outgrows all others, so the CPM has the whole change.
 */
function splitCpl({ before, after }: Sides): Change {
  const from = before.spend / before.leads;
  const to = after.spend / after.leads;
  const change = to - from;
  const parts = { spend: 0, cpm: change, ctr: 0, conversion_rate: 0 };
  if (!(from > 0 && to > 0)) return { measure: "cpl", change, parts };
  const mean = logarithmicMean(from, to);
  const growth = (name: keyof Sums, ofZero: number) =>
    before[name] > 0 && after[name] > 0 ? mean * Math.log(after[name] / before[name]) : ofZero;
  const leads = growth("leads", 0);
  const clicks = growth("clicks", leads);
  const impressions = growth("impressions", clicks);
  return {
    measure: "cpl",
    change,
    parts: {
      spend: 0,
      cpm: growth("spend", 0) - impressions,
      ctr: impressions - clicks,
      conversion_rate: clicks - leads,
    },
  };
}

/**
 * One side at most has leads. At its rates, the spend of the other side promised so many of them,
 * its impressions so many, its clicks so many, and then there were none: each factor has what it
 * took from the promise of the one before. More than there were cannot be lost, so that is all that
 * is ever promised. Logarithms would give all to the conversion rate, even where next to nothing
 * was spent any more.
 */
function splitLeads({ before, after }: Sides): Change {
  const change = after.leads - before.leads;
  const [rich, poor] = after.leads > 0 ? [after, before] : [before, after];
  const promise = (name: keyof Sums, ofZero: number) =>
    rich[name] > 0 ? -change * Math.min(poor[name] / rich[name], 1) : ofZero;
  const clicks = promise("clicks", 0);
  const impressions = promise("impressions", clicks);
  const spend = promise("spend", impressions);
  return {
    measure: "leads",
    change,
    parts: {
      spend: change + spend,
      cpm: impressions - spend,
      ctr: clicks - impressions,
      conversion_rate: -clicks,
    },
  };
}

/**
 * Splits the change of a parent among its children, and what each contributes into its rate and the
 * mix. The `limit` largest contributions and those of the others add up to the whole change.
 *
 * Children are weighted by their shares of the spend: that is what people distribute, and leads per
 * spend are defined without leads, too. The parent's leads per spend are the sum of share x rate,
 * the change of a product is the change of each times the mean of the other, and times -CPL before
 * x CPL after it is one of the CPL. All of that is exact and needs no order. Since shares only
 * trade places, the mix is told against the parent's own rate: spend that goes to a better child
 * lowers the CPL.
 *
 * A child that appears or vanishes has no rate that could have changed, so all it does is mix.
 * Leads for which nothing was spent are rate. What the parent has beyond its children is among the
 * others.
 */
export function splitByChild<Child extends Sides>(
  parent: Sides,
  children: Child[],
  limit = children.length,
): { top: (Child & Contribution)[]; others: Contribution & { count: number } } {
  const contributionOf = measureOf(parent) === "cpl" ? toCplOf(parent) : toLeads;
  const all = children.map((child) => ({ ...child, ...contributionOf(child) }))
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const others = all.slice(limit);
  const rest = contributionOf({
    before: remainder(parent.before, children.map((child) => child.before)),
    after: remainder(parent.after, children.map((child) => child.after)),
  });
  const total = (name: keyof Contribution) =>
    others.reduce((sum, { [name]: part }) => sum + part, rest[name]);
  return {
    top: all.slice(0, limit),
    others: {
      count: others.length,
      contribution: total("contribution"),
      rate: total("rate"),
      mix: total("mix"),
    },
  };
}

function toCplOf(parent: Sides): (child: Sides) => Contribution {
  const from = parent.before.spend / parent.before.leads;
  const to = parent.after.spend / parent.after.leads;
  const mean = (from + to) / 2;
  // Without spend there are no shares of it that could have changed.
  const isSpent = parent.before.spend > 0 && parent.after.spend > 0;
  return ({ before, after }) => {
    const shift = isSpent
      ? after.spend / parent.after.spend - before.spend / parent.before.spend
      : 0;
    const contribution = to * before.leads / parent.before.leads -
      from * after.leads / parent.after.leads + mean * shift;
    const mix = (mean - from * to * leadsPerSpend({ before, after })) * shift;
    return { contribution, rate: contribution - mix, mix };
  };
}

function toLeads({ before, after }: Sides): Contribution {
  const contribution = after.leads - before.leads;
  const mix = leadsPerSpend({ before, after }) * (after.spend - before.spend);
  return { contribution, rate: contribution - mix, mix };
}

/** The mean of both sides, or the one that is defined. */
function leadsPerSpend({ before, after }: Sides): number {
  const known = [before, after].filter(({ spend }) => spend > 0);
  return known.reduce((sum, { leads, spend }) => sum + leads / spend / known.length, 0);
}

function measureOf({ before, after }: Sides): Measure {
  return before.leads > 0 && after.leads > 0 ? "cpl" : "leads";
}

function remainder(whole: Sums, parts: Sums[]): Sums {
  return parts.reduce((rest, { spend, impressions, clicks, leads }) => ({
    spend: rest.spend - spend,
    impressions: rest.impressions - impressions,
    clicks: rest.clicks - clicks,
    leads: rest.leads - leads,
  }), whole);
}

/** (b - a) / ln(b / a), which is between both and comes to a where they are equal. */
function logarithmicMean(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  const difference = large - small;
  return difference > 0 ? difference / Math.log1p(difference / small) : small;
}
