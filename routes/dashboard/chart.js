/* global echarts */
// Draws the table of days: spend as bars, leads and cost per lead as lines. The table stays as it
// is for whoever has no script or wants the numbers.

const element = document.getElementById("chart");
const dark = matchMedia("(prefers-color-scheme: dark)");

if (element) {
  let chart;
  const draw = () => {
    chart?.dispose();
    chart = echarts.init(element, dark.matches ? "dark" : null);
    chart.setOption(options());
  };
  draw();
  dark.addEventListener("change", draw);
  addEventListener("resize", () => chart.resize());
}

/** Every day of the period, also those without delivery, which have no row. */
function daysOfPeriod() {
  const rows = new Map(
    [...document.querySelectorAll("#days tr")].map((row) => [row.dataset.date, row.dataset]),
  );
  const days = [];
  const end = Date.parse(element.dataset.to);
  for (let time = Date.parse(element.dataset.from); time <= end; time += 86_400_000) {
    const date = new Date(time).toISOString().slice(0, 10);
    const { spend = 0, leads = 0, cpl = null } = rows.get(date) ?? {};
    days.push({ date, spend: Number(spend), leads: Number(leads), cpl: cpl && Number(cpl) });
  }
  return days;
}

function options() {
  const days = daysOfPeriod();
  const { currency } = element.dataset;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const muted = color("--muted");
  const axis = {
    type: "value",
    minInterval: 1,
    splitNumber: 3,
    nameTextStyle: { color: muted },
    axisLabel: { color: muted },
    splitLine: { lineStyle: { color: color("--line") } },
  };
  const dates = (gridIndex, shown) => ({
    type: "category",
    gridIndex,
    data: days.map((day) => day.date),
    axisLabel: { show: shown, color: muted, formatter: (date) => date.slice(5) },
    axisTick: { show: false },
    axisLine: { lineStyle: { color: color("--line") } },
  });
  const format = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
  return {
    backgroundColor: "transparent",
    animation: false,
    textStyle: { fontFamily: "inherit" },
    tooltip: {
      trigger: "axis",
      confine: true,
      valueFormatter: (value) => value === null ? "–" : format.format(value),
    },
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    legend: { top: 0, textStyle: { color: muted } },
    grid: [
      { left: 52, right: 40, top: 52, height: "36%" },
      { left: 52, right: 40, bottom: 28, height: "24%" },
    ],
    xAxis: [dates(0, false), dates(1, true)],
    yAxis: [
      { ...axis, name: currency, gridIndex: 0 },
      { ...axis, name: "leads", gridIndex: 1 },
    ],
    series: [
      {
        name: "Spend",
        type: "bar",
        data: days.map((day) => day.spend),
        itemStyle: { color: color("--soft") },
      },
      {
        name: "Cost per lead",
        type: "line",
        data: days.map((day) => day.cpl),
        symbolSize: 5,
        showAllSymbol: true,
        itemStyle: { color: color("--accent") },
      },
      {
        name: "Leads",
        type: "bar",
        xAxisIndex: 1,
        yAxisIndex: 1,
        data: days.map((day) => day.leads),
        itemStyle: { color: color("--good") },
      },
    ],
  };
}
