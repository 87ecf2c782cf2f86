import type { ClassifierRule } from '../classification.js';
import { list } from './list.js';

/** Health data is `high`, and a flag or a code says as much as a text: `is_pregnant`, `icd10_code`. */
export const HEALTH_RULES: readonly ClassifierRule[] = [
  {
    id: 'health',
    classification: 'health',
    category: 'phi',
    sensitivity: 'high',
    phrases: list(`
      health detail, health, injury, injured, special need, medical need, accident description,
      dietary, cause of death, drug$, drug source, krankheits tage, kranken tage, condition code,
      condition source, sick leave hour, diagnosis, diagnosi, diagnose, diagnostic code, icd,
      snomed, loinc, cpt, cpt code, procedure code, hcpcs, drg code, symptom, chief complaint,
      complaint text, allergy, allergie, allergen, medication, medicine, drug name, drug code,
      prescription text, prescribed drug, dosage, dose, blood type, blood group, blood pressure,
      blood sugar, bloodtype, systolic, diastolic, heart rate, pulse rate, glucose, cholesterol,
      hba1c, hemoglobin, body temperature, body mass, bmi, oxygen saturation, spo2,
      respiratory rate, hiv, pregnant, pregnancy, disability, disabled person, handicap, smoker,
      smoking, alcohol use, substance use, vaccine, vaccination, immunization, treatment,
      therapy, clinical, medical, medical record, mrn, medical history, family history, chronic,
      illness, disease, surgery, psychiatric, mental health, health status, health condition,
      health record, sick day, sick leave, sickness, reason for visit, visit reason, test result,
      lab result, biopsy, tumor, cancer, organ donor, genetic, genome, dna, menstrual,
      contraception, fertility, covid, infection, triage, befund, blut gruppe, blutgruppe,
      blutdruck, medikament, medikamente, krankheit, krankentage, behandlung, schwerbehinderung,
      behinderung, gesundheit, impfung, unvertraeglichkeit, groupe sanguin, antecedent,
      antecedent medicaux, maladie, traitement, medicament, vaccin, diagnostic, diagnostico,
      alergia, enfermedad, grupo sanguineo, tratamiento, medicamento, discapacidad, vacuna,
      malattia, allergia, gruppo sanguigno, farmaco, terapia, vaccinazione, doenca,
      tipo sanguineo, tratamento, vacina, deficiencia, ziekte, bloedgroep, medicijn, behandeling,
      allergieen, aandoening`),
    comment: list(`
      diagnosis, icd code, medical record, medication, health condition, blood type, diagnose,
      diagnostico, diagnosi, krankheit`),
    types: ['any'],
    forbids: list(`
      check, insurance, endpoint, score, system, service, ministry, id, uuid, fk, count, at,
      provider, url, enabled, sent, created, updated, water, start, end, department, school,
      degree, subscribed, report, cost, price, amount, expense`),
  },
  {
    id: 'measured_in_clinic',
    classification: 'health',
    category: 'phi',
    sensitivity: 'high',
    phrases: list(`
      value number, value numeric, valuenum, value as number, value text, ^identifier$, sig$,
      result, result value, ^value$, height, weight, temperature, pulse, reading, observation,
      finding, condition, prescription, procedure, note, comment, remark, summary, assessment,
      history, instruction, bemerkung, notiz, nota, observacion`),
    dataset: ['@clinic'],
    types: ['any'],
    forbids: list(`
      @aspect, date, name, by, patient, unit, url, code`),
  },
];
