/** What a column of an export can mean, and the headers that say so in the languages of Ads Manager. */

/** The headers of each field; case, accents, hyphens and underscores do not matter. */
const HEADERS = {
  day: ["Day", "Date", "Dia", "Data", "Fecha", "Tag", "Datum", "Jour"],
  date_start: [
    "Reporting starts",
    "Reporting start",
    "Date start",
    "Início dos relatórios",
    "Inicio del informe",
    "Auswertungsstart",
    "Berichtsstart",
    "Début des rapports",
    "Début du rapport",
  ],
  date_stop: [
    "Reporting ends",
    "Reporting end",
    "Date stop",
    "Término dos relatórios",
    "Encerramento dos relatórios",
    "Fin del informe",
    "Auswertungsende",
    "Berichtsende",
    "Fin des rapports",
    "Fin du rapport",
  ],
  account_id: [
    "Account ID",
    "Ad account ID",
    "ID da conta",
    "Identificação da conta",
    "ID de la cuenta",
    "Identificador de la cuenta",
    "Konto-ID",
    "Werbekonto-ID",
    "ID du compte",
    "Identifiant du compte",
  ],
  account_name: [
    "Account name",
    "Ad account name",
    "Nome da conta",
    "Nombre de la cuenta",
    "Kontoname",
    "Name des Kontos",
    "Nom du compte",
  ],
  currency: ["Currency", "Account currency", "Moeda", "Divisa", "Moneda", "Währung", "Devise"],
  campaign_id: [
    "Campaign ID",
    "ID da campanha",
    "Identificação da campanha",
    "ID de la campaña",
    "Identificador de la campaña",
    "Kampagnen-ID",
    "ID de la campagne",
    "ID de campagne",
    "Identifiant de la campagne",
  ],
  campaign_name: [
    "Campaign name",
    "Campaign",
    "Nome da campanha",
    "Campanha",
    "Nombre de la campaña",
    "Campaña",
    "Kampagnenname",
    "Name der Kampagne",
    "Kampagne",
    "Nom de la campagne",
    "Campagne",
  ],
  campaign_delivery: [
    "Campaign delivery",
    "Campaign effective status",
    "Veiculação da campanha",
    "Entrega da campanha",
    "Entrega de la campaña",
    "Kampagnenauslieferung",
    "Auslieferung der Kampagne",
    "Diffusion de la campagne",
  ],
  campaign_status: [
    "Campaign status",
    "Campaign configured status",
    "Status da campanha",
    "Estado de la campaña",
    "Kampagnenstatus",
    "Statut de la campagne",
  ],
  campaign_budget: [
    "Campaign budget",
    "Orçamento da campanha",
    "Presupuesto de la campaña",
    "Kampagnenbudget",
    "Budget de la campagne",
  ],
  campaign_budget_type: [
    "Campaign budget type",
    "Tipo de orçamento da campanha",
    "Tipo de presupuesto de la campaña",
    "Art des Kampagnenbudgets",
    "Kampagnenbudgetart",
    "Type de budget de la campagne",
  ],
  objective: [
    "Objective",
    "Campaign objective",
    "Objetivo",
    "Objetivo da campanha",
    "Objetivo de la campaña",
    "Ziel",
    "Kampagnenziel",
    "Objectif",
    "Objectif de la campagne",
  ],
  adset_id: [
    "Ad set ID",
    "Adset ID",
    "ID do conjunto de anúncios",
    "Identificação do conjunto de anúncios",
    "ID del conjunto de anuncios",
    "Identificador del conjunto de anuncios",
    "Anzeigengruppen-ID",
    "ID de l'ensemble de publicités",
    "Identifiant de l'ensemble de publicités",
  ],
  adset_name: [
    "Ad set name",
    "Adset name",
    "Ad set",
    "Adset",
    "Nome do conjunto de anúncios",
    "Conjunto de anúncios",
    "Nombre del conjunto de anuncios",
    "Anzeigengruppenname",
    "Name der Anzeigengruppe",
    "Anzeigengruppe",
    "Nom de l'ensemble de publicités",
    "Ensemble de publicités",
  ],
  adset_delivery: [
    "Ad set delivery",
    "Adset delivery",
    "Adset effective status",
    "Veiculação do conjunto de anúncios",
    "Entrega do conjunto de anúncios",
    "Entrega del conjunto de anuncios",
    "Anzeigengruppenauslieferung",
    "Auslieferung der Anzeigengruppe",
    "Diffusion de l'ensemble de publicités",
  ],
  adset_status: [
    "Ad set status",
    "Adset status",
    "Adset configured status",
    "Status do conjunto de anúncios",
    "Estado del conjunto de anuncios",
    "Anzeigengruppenstatus",
    "Statut de l'ensemble de publicités",
  ],
  adset_budget: [
    "Ad set budget",
    "Adset budget",
    "Orçamento do conjunto de anúncios",
    "Presupuesto del conjunto de anuncios",
    "Anzeigengruppenbudget",
    "Budget de l'ensemble de publicités",
  ],
  adset_budget_type: [
    "Ad set budget type",
    "Adset budget type",
    "Tipo de orçamento do conjunto de anúncios",
    "Tipo de presupuesto del conjunto de anuncios",
    "Art des Anzeigengruppenbudgets",
    "Anzeigengruppenbudgetart",
    "Type de budget de l'ensemble de publicités",
  ],
  ad_id: [
    "Ad ID",
    "ID do anúncio",
    "Identificação do anúncio",
    "ID del anuncio",
    "Identificador del anuncio",
    "Anzeigen-ID",
    "ID de la publicité",
    "Identifiant de la publicité",
  ],
  ad_name: [
    "Ad name",
    "Ad",
    "Nome do anúncio",
    "Anúncio",
    "Nombre del anuncio",
    "Anzeigenname",
    "Name der Anzeige",
    "Anzeige",
    "Nom de la publicité",
    "Publicité",
  ],
  ad_delivery: [
    "Ad delivery",
    "Ad effective status",
    "Veiculação do anúncio",
    "Veiculação de anúncio",
    "Entrega do anúncio",
    "Entrega del anuncio",
    "Anzeigenauslieferung",
    "Auslieferung der Anzeige",
    "Diffusion de la publicité",
  ],
  ad_status: [
    "Ad status",
    "Ad configured status",
    "Status do anúncio",
    "Estado del anuncio",
    "Anzeigenstatus",
    "Statut de la publicité",
  ],
  spend: [
    "Amount spent",
    "Spend",
    "Spent",
    "Valor usado",
    "Valor gasto",
    "Montante gasto",
    "Importe gastado",
    "Ausgegebener Betrag",
    "Montant dépensé",
  ],
  impressions: ["Impressions", "Impressões", "Impresiones", "Impressionen"],
  reach: ["Reach", "Alcance", "Reichweite", "Couverture", "Portée"],
  frequency: ["Frequency", "Frequência", "Frecuencia", "Frequenz", "Répétition", "Fréquence"],
  clicks: [
    "Clicks (all)",
    "Clicks",
    "Cliques (todos)",
    "Cliques",
    "Clics (todos)",
    "Clics",
    "Klicks (alle)",
    "Klicks",
    "Clics (tous)",
  ],
  link_clicks: [
    "Link clicks",
    "Inline link clicks",
    "Cliques no link",
    "Cliques na ligação",
    "Clics en el enlace",
    "Link-Klicks",
    "Linkklicks",
    "Clics sur un lien",
    "Clics sur le lien",
  ],
  ctr: ["CTR (all)", "CTR", "CTR (todos)", "CTR (alle)", "CTR (tous)"],
  cpc: ["CPC (all)", "CPC", "CPC (todos)", "CPC (alle)", "CPC (tous)"],
  leads: ["Leads", "Lead", "Cadastros", "Clientes potenciales", "Prospects"],
  leads_on_facebook: [
    "On-Facebook leads",
    "Meta leads",
    "Leads (form)",
    "Leads no Facebook",
    "Leads (formulário)",
    "Clientes potenciales en Facebook",
    "Clientes potenciales en Meta",
    "Clientes potenciales de Meta",
    "Leads auf Facebook",
    "Facebook-Leads",
    "Prospects sur Facebook",
    "Leads sur Facebook",
  ],
  leads_on_website: [
    "Website leads",
    "Leads no site",
    "Clientes potenciales en el sitio web",
    "Website-Leads",
    "Prospects sur le site web",
    "Leads sur le site web",
  ],
  results: ["Results", "Resultados", "Ergebnisse", "Résultats"],
  result_indicator: [
    "Result indicator",
    "Indicador de resultados",
    "Indicador de resultado",
    "Ergebnisindikator",
    "Ergebnis-Indikator",
    "Indicateur de résultats",
    "Indicateur de résultat",
  ],
  result_type: [
    "Result type",
    "Tipo de resultado",
    "Tipo de resultados",
    "Ergebnistyp",
    "Ergebnisart",
    "Type de résultat",
    "Type de résultats",
  ],
  purchases: ["Purchases", "Purchase", "Compras", "Käufe", "Achats"],
  actions: ["Actions"],
} as const satisfies Record<string, readonly string[]>;

/** What a column can mean; also the left side of `--map field=header`. */
export type Field = keyof typeof HEADERS;

/** A header as it is compared: without case, accents, hyphens, underscores and typographic quotes. */
export function normalizeHeader(header: string): string {
  return header
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase()
    .replace(/[’‘ʼ´`]/g, "'")
    .replace(/[\s_\u2010-\u2015-]+/g, " ")
    .trim();
}

const FIELD_OF_HEADER = new Map<string, Field>();
for (const field of allFields()) {
  for (const header of HEADERS[field]) FIELD_OF_HEADER.set(normalizeHeader(header), field);
}

/** Every field, in the order of the table above. */
export function allFields(): Field[] {
  return Object.keys(HEADERS).filter(isField);
}

/** Whether a word is the name of a field. */
export function isField(word: string): word is Field {
  return Object.hasOwn(HEADERS, word);
}

/** The field's header in an English export, for messages. */
export function englishHeader(field: Field): string {
  return HEADERS[field][0];
}

/** A header in its parts: what it means and the currency that it names in brackets. */
export type RecognizedHeader = { field: Field | null; currency: string | null };

/** Recognizes one header. `Amount spent (USD)` is `spend` in USD, an unknown header has no field. */
export function recognizeHeader(header: string): RecognizedHeader {
  // The whole header first: ALL is a currency too, and some tools write `CLICKS (ALL)`.
  const whole = FIELD_OF_HEADER.get(normalizeHeader(header));
  if (whole) return { field: whole, currency: null };
  const [, name, currency] = header.trim().match(/^(.*\S)\s*\(([A-Z]{3})\)$/s) ?? [];
  if (!name || !currency) return { field: null, currency: null };
  return { field: FIELD_OF_HEADER.get(normalizeHeader(name)) ?? null, currency };
}
