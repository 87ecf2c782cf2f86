import ApprovalApprove from './approve.js';

export default class ApprovalGrant extends ApprovalApprove {
  static override summary = 'The same as vkit approval approve.';
  static override hidden = true;
}
