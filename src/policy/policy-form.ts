/** A policy as a file writes it, once the JSON Schema holds (schemas/policy.schema.json). */
export interface PolicyForm {
  id: string;
  description?: string;
  priority?: number;
  match?: MatchForm;
  context?: ConditionsForm;
  when?: ConditionsForm;
  action: ActionForm;
  masking?: { default_method?: MaskForm; rules?: Record<string, MaskForm> };
}

/** What of a form is left without the parts that the JSON Schema refuses. */
export type ReadableForm = Partial<PolicyForm>;

export interface MatchForm {
  datasource?: string | string[];
  dataset?: string | string[];
  fields?: {
    sensitivity?: string | string[];
    category?: string | string[];
    contains?: string[];
    any?: string[];
    all?: string[];
  };
  context?: ConditionsForm;
}

export type ScalarForm = string | number | boolean;
export type OperatorsForm = Record<string, ScalarForm | ScalarForm[]>;
export type ConditionsForm = Record<string, ScalarForm | ScalarForm[] | OperatorsForm>;

export interface ActionForm {
  deny?: boolean;
  require_approval?: boolean;
  mask?: boolean;
  allow?: boolean;
  mask_type?: string;
  mask_except?: string[];
  approver_role?: string;
  approvals?: number;
  approval_metadata_required?: string[];
  lifts_mask?: boolean;
  reason?: string;
  ttl?: string | number;
  max_rows?: number;
  auto_revoke?: boolean;
}

export type MaskForm =
  | string
  | { method: string; prefix?: number; suffix?: number; min_length?: number };

/** A problem whose place is still only a JSON Pointer, and whether its key or its value is meant. */
export interface FormProblem {
  pointer: string;
  atKey?: boolean;
  code: string;
  message: string;
  suggestion?: string;
}
