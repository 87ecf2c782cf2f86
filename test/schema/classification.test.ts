import { describe, expect, test } from 'vitest';
import { VkitError } from '../../src/errors/index.js';
import {
  type Category,
  type Classification,
  type ClassifierRule,
  classifyField,
  createClassifier,
} from '../../src/schema/classification/index.js';
import { splitWords } from '../../src/schema/classification/split-words.js';
import type { Sensitivity } from '../../src/schema/model.js';

const field = (dataset: string, name: string, type = 'text', comment?: string) =>
  classifyField({ dataset, name, type, ...(comment === undefined ? {} : { comment }) });
const short = (found: Classification) =>
  `${found.classification} ${found.category} ${found.sensitivity}`;

describe('names are split into words', () => {
  test.each([
    ['shipping_address', 'shipping address'],
    ['shippingAddress', 'shipping address'],
    ['ShippingAddress', 'shipping address'],
    ['shipping-address', 'shipping address'],
    ['SHIPPING_ADDRESS', 'shipping address'],
    ['SSNNumber', 'ssn number'],
    ['userSSN', 'user ssn'],
    ['userIDs', 'user ids'],
    ['parseHTTPUrl', 'parse http url'],
    ['address2', 'address 2'],
    ['firstname', 'first name'],
    ['zipcode', 'zip code'],
    ['phonenumber', 'phone number'],
    ['dob', 'date of birth'],
    ['cust_fname', 'customer first name'],
    ['kundennummer', 'kunden number'],
    ['Straße', 'strasse'],
    ['prénom', 'prenom'],
    ['description', 'description'],
    ['ip4', 'ip 4'],
    ['__', ''],
  ])('%s', (name, words) => {
    expect(splitWords(name).join(' ')).toBe(words);
  });

  test('a hostile name is read in bounded time', () => {
    const start = process.cpuUsage();
    splitWords('name'.repeat(100_000));
    splitWords('aA'.repeat(100_000));
    splitWords(`${'card'.repeat(11)}x`);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1_000).toBeLessThan(500);
  });
});

describe('a word inside another word is not that word, and a thing is not a person', () => {
  test.each([
    ['products', 'description'],
    ['companies', 'company_name'],
    ['products', 'product_name'],
    ['attachments', 'file_name'],
    ['events', 'event_name'],
    ['products', 'name'],
    ['customers', 'company_name'],
    ['users', 'host_name'],
    ['events', 'recipe'],
    ['events', 'equipment'],
    ['events', 'shipped'],
    ['llm_calls', 'zip_file_path'],
    ['keys', 'public_key'],
    ['tables', 'primary_key'],
    ['users', 'created_at', 'timestamptz'],
    ['users', 'id', 'uuid'],
    ['orders', 'customer_id', 'bigint'],
    ['messages', 'email_id', 'bigint'],
    ['messages', 'email_id', 'uuid'],
    ['users', 'email_verified_at', 'timestamptz'],
    ['users', 'email_verified_at', 'text'],
    ['users', 'email_count', 'integer'],
    ['users', 'email_verified', 'boolean'],
    ['customers', 'has_phone', 'boolean'],
    ['customers', 'phone_type'],
    ['customers', 'phone_country_code'],
    ['users', 'password_changed_at', 'timestamptz'],
    ['users', 'password_policy'],
    ['oauth', 'token_type'],
    ['llm_calls', 'prompt_tokens', 'integer'],
    ['payments', 'card_brand'],
    ['accounts', 'account_type'],
    ['orders', 'discount_percent', 'numeric'],
    ['passports', 'passport_expiry_date', 'date'],
  ])('%s.%s (%s) is generic, internal and low', (dataset, name, type = 'text') => {
    expect(short(field(dataset, name, type))).toBe('generic internal low');
  });
});

describe('each class has its category and sensitivity', () => {
  test.each<[string, string, string, string, Category, Sensitivity]>([
    ['customers', 'email', 'text', 'email', 'pii', 'medium'],
    ['customers', 'email_hash', 'text', 'email', 'pii', 'medium'],
    ['customers', 'phone', 'varchar', 'phone', 'pii', 'medium'],
    ['customers', 'name', 'text', 'person_name', 'pii', 'medium'],
    ['accounts', 'bank_account_holder_name', 'text', 'person_name', 'pii', 'medium'],
    ['customers', 'shippingAddress', 'text', 'postal_address', 'pii', 'medium'],
    ['customers', 'dob', 'date', 'date_of_birth', 'pii', 'medium'],
    ['sessions', 'ip', 'inet', 'ip_address', 'pii', 'medium'],
    ['sessions', 'origin', 'inet', 'ip_address', 'pii', 'medium'],
    ['networks', 'allowed', 'cidr', 'ip_address', 'pii', 'medium'],
    ['stores', 'position', 'geometry', 'geolocation', 'pii', 'medium'],
    ['users', 'username', 'text', 'generic', 'pii', 'medium'],
    ['users', 'gender', 'enum', 'generic', 'pii', 'medium'],
    ['users', 'religion', 'text', 'generic', 'pii', 'high'],
    ['employees', 'ssn', 'text', 'national_id', 'pii', 'high'],
    ['employees', 'ssn', 'bigint', 'national_id', 'pii', 'high'],
    ['payments', 'card_number', 'text', 'payment_card', 'pci', 'high'],
    ['payments', 'iban', 'text', 'bank_account', 'financial', 'high'],
    ['employees', 'salary', 'numeric', 'amount', 'financial', 'high'],
    ['accounts', 'balance', 'numeric', 'amount', 'financial', 'medium'],
    ['ledger', 'value', 'money', 'amount', 'financial', 'medium'],
    ['products', 'price', 'numeric', 'amount', 'financial', 'low'],
    ['patients', 'diagnosis', 'text', 'health', 'phi', 'high'],
    ['patients', 'is_pregnant', 'boolean', 'health', 'phi', 'high'],
    ['encounters', 'notes', 'text', 'health', 'phi', 'high'],
    ['users', 'password_hash', 'text', 'credential', 'secrets', 'high'],
    ['users', 'api_key', 'text', 'credential', 'secrets', 'high'],
    ['members', 'email_id', 'varchar', 'email', 'pii', 'medium'],
  ])('%s.%s (%s)', (dataset, name, type, classification, category, sensitivity) => {
    expect(short(field(dataset, name, type))).toBe(`${classification} ${category} ${sensitivity}`);
  });
});

describe('other languages', () => {
  test.each([
    ['kunden', 'geburtsdatum', 'date', 'date_of_birth'],
    ['kunden', 'Kontonummer', 'text', 'bank_account'],
    ['kunden', 'Straße', 'text', 'postal_address'],
    ['clients', 'prénom', 'text', 'person_name'],
    ['clients', 'numéro_sécurité_sociale', 'text', 'national_id'],
    ['clientes', 'teléfono', 'text', 'phone'],
    ['clientes', 'contraseña', 'text', 'credential'],
    ['clienti', 'codice_fiscale', 'char', 'national_id'],
    ['clientes', 'endereço', 'text', 'postal_address'],
    ['klanten', 'rekeningnummer', 'text', 'bank_account'],
  ])('%s.%s', (dataset, name, type, classification) => {
    expect(field(dataset, name, type).classification).toBe(classification);
  });
});

describe('columns that can hold anything', () => {
  test.each(['json', 'jsonb', 'xml', 'bytes', 'other', 'text[]', 'integer[]', 'hstore'])(
    '%s starts at high whatever the name',
    (type) => {
      expect(short(field('users', 'settings', type))).toBe('generic internal high');
      expect(short(field('users', 'address', type))).toBe('postal_address pii high');
      expect(field('users', 'settings', type).because).toContainEqual({
        rule: 'opaque_type',
        matched: [type],
        origin: 'type',
      });
    },
  );

  test('an array of addresses is one of addresses, and high', () => {
    expect(short(field('sessions', 'origins', 'inet[]'))).toBe('ip_address pii high');
  });

  test.each(['notes', 'comment', 'message', 'body', 'internalRemarks', 'bemerkung'])(
    'free text in %s is medium',
    (name) => {
      expect(short(field('tickets', name))).toBe('generic internal medium');
    },
  );

  test('a description is low where things are described for everybody, medium elsewhere', () => {
    expect(field('products', 'description').sensitivity).toBe('low');
    expect(field('incidents', 'description').sensitivity).toBe('medium');
  });

  test('a name in letters the rules cannot read is at least medium', () => {
    expect(short(field('用户', '电话'))).toBe('generic internal medium');
  });
});

describe('comments', () => {
  test('a comment classifies a column whose name says nothing', () => {
    const found = field('t', 'c17', 'varchar', 'The e-mail address of the customer');
    expect(short(found)).toBe('email pii medium');
    expect(found.because[0]?.origin).toBe('comment');
  });

  test('a comment raises and never lowers', () => {
    expect(field('t', 'email', 'text', 'not sensitive, public').classification).toBe('email');
    expect(field('t', 'email', 'text', 'or the social security number').sensitivity).toBe('high');
  });

  test('a column about a thing stays that, and its type still counts', () => {
    expect(field('t', 'email_status', 'text', 'State of the email address').sensitivity).toBe(
      'low',
    );
    expect(field('t', 'checked', 'boolean', 'Email address checked').sensitivity).toBe('low');
  });
});

test('because names the rule, the words and where they were found', () => {
  expect(field('crm.customers', 'name').because).toEqual([
    { rule: 'name_in_people', matched: ['name'], origin: 'name' },
    { rule: 'name_in_people', matched: ['customer'], origin: 'dataset' },
  ]);
  expect(field('t', 'x').because).toEqual([]);
});

describe('rules of the user', () => {
  const rule: ClassifierRule = {
    id: 'member_code',
    classification: 'member_code',
    category: 'pii',
    sensitivity: 'high',
    phrases: ['member code'],
    forbids: ['@aspect'],
  };

  test('add a class of their own', () => {
    const classify = createClassifier([rule]);
    const code = classify({ dataset: 'gym', name: 'memberCodes', type: 'text' });
    expect(short(code)).toBe('member_code pii high');
    const about = classify({ dataset: 'gym', name: 'member_code_status', type: 'text' });
    expect(about.classification).toBe('generic');
  });

  test('are heard before the shipped ones, but do not lift the floor of JSON', () => {
    const { forbids: _, ...open } = rule;
    const classify = createClassifier([{ ...open, phrases: ['email'], sensitivity: 'low' }]);
    expect(classify({ dataset: 't', name: 'email', type: 'text' }).sensitivity).toBe('low');
    expect(classify({ dataset: 't', name: 'email', type: 'jsonb' }).sensitivity).toBe('high');
  });

  test('that could never match are refused, all problems at once', () => {
    const broken: ClassifierRule[] = [
      { ...rule, id: 'Bad Id', phrases: ['Member  Code'], forbids: ['@aspects'] },
      { ...rule, id: 'empty', phrases: [] },
      { ...rule, id: 'empty', types: ['string'] },
    ];
    const refused = (() => {
      try {
        createClassifier(broken);
        return undefined;
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toBeInstanceOf(VkitError);
    if (!(refused instanceof VkitError)) return;
    expect(refused.code).toBe('config_invalid');
    expect(refused.details?.problems?.map((problem) => problem.pointer)).toEqual([
      '/0/id',
      '/0/phrases',
      '/0/forbids',
      '/1/phrases',
      '/2/types',
      '/2/id',
    ]);
  });
});

test('10,000 tables of 20 columns take a few seconds of processor time at most', () => {
  // Processor time, not the clock's: the machine that runs the tests may be busy.
  const start = process.cpuUsage();
  for (let table = 0; table < 10_000; table += 1) {
    for (let column = 0; column < 20; column += 1) {
      field(`schema.table_${table}`, `customer_address_line_${column}`);
    }
  }
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1_000_000).toBeLessThan(5);
});
