import { assertEquals, assertThrows } from "@std/assert";
import { findColumns, parseHeaderMap, requireColumns } from "../../../core/export/columns.ts";
import { type Field, recognizeHeader } from "../../../core/export/fields.ts";
import { Refusal } from "../../../core/refusal.ts";

Deno.test("recognizeHeader() knows headers in five languages whatever their case and accents", () => {
  const spend = [
    "Amount spent (USD)",
    "VALOR USADO (BRL)",
    "Importe gastado (EUR)",
    "Ausgegebener Betrag (CHF)",
    "Montant depense (EUR)",
    "spend",
  ];
  for (const header of spend) assertEquals(recognizeHeader(header).field, "spend", header);
  assertEquals(recognizeHeader("Montant dépensé (EUR)").currency, "EUR");
  assertEquals(recognizeHeader("Nom de l’ensemble de publicités").field, "adset_name");
  assertEquals(recognizeHeader("adset_name").field, "adset_name");
  assertEquals(recognizeHeader("Link-Klicks").field, "link_clicks");
  assertEquals(recognizeHeader("Cost per lead (USD)").field, null);
});

Deno.test("recognizeHeader() knows the headers of whole exports in each language", () => {
  const exports: [field: Field, ...headers: string[]][] = [
    ["day", "Day", "Dia", "Día", "Tag", "Jour"],
    [
      "date_start",
      "Reporting starts",
      "Início dos relatórios",
      "Inicio del informe",
      "Début des rapports",
    ],
    [
      "date_stop",
      "Reporting ends",
      "Término dos relatórios",
      "Encerramento dos relatórios",
      "Fin del informe",
      "Fin des rapports",
    ],
    ["campaign_id", "Identificação da campanha", "Identificador de la campaña"],
    ["campaign_name", "Nome da campanha", "Nombre de la campaña", "Nom de la campagne"],
    ["campaign_delivery", "Veiculação da campanha", "Entrega de la campaña"],
    ["campaign_budget_type", "Tipo de orçamento da campanha"],
    ["adset_id", "Identificação do conjunto de anúncios", "ID de l'ensemble de publicités"],
    ["adset_name", "Name der Anzeigengruppe", "Nom de l’ensemble de publicités"],
    ["adset_delivery", "Veiculação do conjunto de anúncios", "Entrega del conjunto de anuncios"],
    [
      "adset_budget",
      "Orçamento do conjunto de anúncios",
      "Presupuesto del conjunto de anuncios",
      "Anzeigengruppenbudget",
    ],
    [
      "adset_budget_type",
      "Tipo de orçamento do conjunto de anúncios",
      "Tipo de presupuesto del conjunto de anuncios",
    ],
    ["ad_id", "Identificação do anúncio", "ID de la publicité"],
    ["ad_name", "Nome do anúncio", "Nombre del anuncio", "Anzeigenname", "Nom de la publicité"],
    ["ad_delivery", "Veiculação de anúncio", "Entrega del anuncio"],
    ["spend", "Valor gasto (BRL)", "Importe gastado (MXN)", "Ausgegebener Betrag (EUR)"],
    ["reach", "Alcance", "Reichweite", "Couverture"],
    ["frequency", "Frequência", "Frecuencia", "Frequenz", "Répétition"],
    ["clicks", "Cliques (todos)", "Clics (todos)", "Klicks (alle)", "Clics (tous)"],
    ["link_clicks", "Cliques no link", "Clics en el enlace", "Link-Klicks", "Clics sur un lien"],
    ["cpc", "CPC (todos) (BRL)", "CPC (alle) (EUR)", "CPC (Tous) (EUR)"],
    ["leads_on_facebook", "Leads (formulário)", "Clientes potenciales en Meta"],
    [
      "result_indicator",
      "Indicador de resultados",
      "Indicador de resultado",
      "Indicateur de résultats",
    ],
    ["result_type", "Tipo de resultado", "Type de résultat"],
    ["purchases", "Compras", "Käufe", "Achats"],
    ["currency", "Moeda", "Divisa", "Währung", "Devise"],
  ];
  for (const [field, ...headers] of exports) {
    for (const header of headers) assertEquals(recognizeHeader(header).field, field, header);
  }
});

Deno.test("recognizeHeader() takes no rate or cost for a count", () => {
  const others = [
    "CPC (custo por clique no link) (BRL)",
    "CTR (taxa de cliques no link)",
    "Costo por resultados",
    "Coût par résultat",
    "Kosten pro Ergebnis",
    "Cliques no link únicos",
    "Nível de veiculação",
    "Configuración de atribución",
  ];
  for (const header of others) assertEquals(recognizeHeader(header).field, null, header);
});

Deno.test("recognizeHeader() takes (ALL) for all clicks, not for a currency", () => {
  assertEquals(recognizeHeader("CLICKS (ALL)"), { field: "clicks", currency: null });
});

Deno.test("findColumns() lets a mapped header win over the known ones", () => {
  const map = parseHeaderMap(["adset_id=fb_campaign_id", "day = reporting_start"]);
  const { columns } = findColumns(
    ["reporting_start", "Campaign ID", "FB_Campaign_ID", "Ad set ID"],
    map,
  );
  assertEquals(columns, { day: 0, campaign_id: 1, adset_id: 2 });
});

Deno.test("findColumns() refuses two columns for one field, but only drops a doubtful cross-check", () => {
  assertThrows(
    () => findColumns(["Day", "Date"], {}),
    Refusal,
    '"Day" and "Date" both stand for "Day"',
  );
  assertEquals(findColumns(["CTR", "CTR (all)"], {}).columns, {});
  assertEquals(findColumns(["Day", "Date"], { day: "Date" }).columns, { day: 1 });
});

Deno.test("findColumns() refuses a mapped header when the file does not have it", () => {
  assertThrows(
    () => findColumns(["Day"], { spend: "Cost" }),
    Refusal,
    'The file has no column "Cost"',
  );
});

Deno.test("findColumns() refuses amounts in several currencies", () => {
  const header = ["Amount spent (USD)", "Campaign budget (EUR)"];
  assertThrows(() => findColumns(header, {}), Refusal, "USD, EUR");
});

Deno.test("requireColumns() names what is missing and what the file has instead", () => {
  const header = findColumns(["ad_id", "date", "impressions", "spend"], {});
  assertThrows(
    () => requireColumns(header),
    Refusal,
    '"Campaign name", "Ad set name" among "ad_id"',
  );
});

Deno.test("requireColumns() takes Reporting starts for the day only beside Reporting ends", () => {
  const rest = ["Campaign name", "Ad set name", "Spend", "Impressions"];
  requireColumns(findColumns(["Reporting starts", "Reporting ends", ...rest], {}));
  assertThrows(
    () => requireColumns(findColumns(["Reporting starts", ...rest], {})),
    Refusal,
    '"Day"',
  );
});

Deno.test("parseHeaderMap() refuses unknown fields and other forms", () => {
  assertThrows(() => parseHeaderMap(["cost=Spend"]), Refusal, 'the unknown field "cost"');
  assertThrows(() => parseHeaderMap(["spend"]), Refusal, "field=header");
  assertThrows(() => parseHeaderMap(["toString=x"]), Refusal, "unknown field");
});
