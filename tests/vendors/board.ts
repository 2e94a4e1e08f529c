// A dashboard as `otterbeat grafana` writes it, in the types of Grafana's own package. The panels and queries are narrower than there:
// they know no property that Grafana does not know, and each names its data source by uid.
import type { AnnotationQuery, Dashboard, DataQuery, FieldConfig, FieldConfigSource, Panel, VariableModel } from "@grafana/schema";
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

interface Source {
  type: "graphite";
  uid: string;
}

// Grafana's package has no types for the queries of Graphite.
interface Query extends DataQuery {
  datasource: Source;
  target: string;
  textEditor: true;
}

interface EventsQuery extends DataQuery {
  fromAnnotations: true;
  tags: string[];
}

interface PanelOf<Type extends string, Options, Custom> extends Omit<Panel, "type" | "datasource" | "options" | "fieldConfig" | "targets"> {
  type: Type;
  datasource: Source;
  options: Options;
  fieldConfig: Omit<FieldConfigSource, "defaults"> & { defaults: Omit<FieldConfig, "custom"> & { custom: Custom } };
  targets: Query[];
}

type AnyPanel =
  | PanelOf<"timeseries", timeseries.Options, timeseries.FieldConfig>
  | PanelOf<"state-timeline", timeline.Options, timeline.FieldConfig>;

export type Board = Json<
  Omit<Dashboard, "panels" | "annotations" | "templating"> & {
    panels: AnyPanel[];
    annotations: { list: (AnnotationQuery<EventsQuery> & { datasource: Source })[] };
    templating: { list: (VariableModel & { datasource: Source })[] };
  }
>;
