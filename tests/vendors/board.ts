// A dashboard as `otterbeat grafana` writes it, in the types of Grafana's own package. The panels and queries are narrower than there:
// they know no property that Grafana does not know, and each names its data source by uid.
import type { AnnotationQuery, Dashboard, DataQuery, FieldConfig, FieldConfigSource, Panel, VariableModel } from "@grafana/schema";
import type { PrometheusDataQuery } from "@grafana/schema-10/dist/esm/raw/composable/prometheus/dataquery/x/PrometheusDataQuery_types.gen";
import type * as timeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// A type as it is in JSON, where an enum is one of its texts or numbers.
type Json<T> = T extends string
  ? `${T}`
  : T extends number
    ? `${T}` extends `${infer N extends number}` ? N : never
    : T extends Array<infer U>
      ? Json<U>[]
      : T extends object
        ? { [K in keyof T]: Json<T[K]> }
        : T;

interface Source<Type extends string> {
  type: Type;
  uid: string;
}

// Grafana's package has no types for the queries of Graphite.
interface GraphiteQuery extends DataQuery {
  datasource: Source<"graphite">;
  target: string;
  textEditor: true;
}

// Grafana's package of version 10 is the last one with the type for the queries of Prometheus, which has no `interval`.
type PrometheusQuery = Required<Pick<PrometheusDataQuery, "refId" | "expr" | "editorMode" | "legendFormat" | "range">> & {
  datasource: Source<"prometheus">;
  interval: string;
};

interface EventsQuery extends DataQuery {
  fromAnnotations: true;
  tags: string[];
}

interface PanelOf<Query extends { datasource: unknown }, Type extends string, Options, Custom>
  extends Omit<Panel, "type" | "datasource" | "options" | "fieldConfig" | "targets"> {
  type: Type;
  datasource: Query["datasource"];
  options: Options;
  fieldConfig: Omit<FieldConfigSource, "defaults"> & { defaults: Omit<FieldConfig, "custom"> & { custom: Custom } };
  targets: Query[];
}

type AnyPanel<Query extends { datasource: unknown }> =
  | PanelOf<Query, "timeseries", timeseries.Options, timeseries.FieldConfig>
  | PanelOf<Query, "state-timeline", timeline.Options, timeline.FieldConfig>;

type BoardOf<Query extends { datasource: unknown }> = Json<
  Omit<Dashboard, "panels" | "annotations" | "templating"> & {
    panels: AnyPanel<Query>[];
    annotations: { list: (AnnotationQuery<EventsQuery> & { datasource: Query["datasource"] })[] };
    templating: { list: (VariableModel & { datasource: Query["datasource"] })[] };
  }
>;

export type Graphite = BoardOf<GraphiteQuery>;
export type Prometheus = BoardOf<PrometheusQuery>;
