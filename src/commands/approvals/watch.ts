import ApprovalWatch from '../approval/watch.js';

export default class ApprovalsWatch extends ApprovalWatch {
  static override summary = 'The same as vkit approval watch.';
  static override hidden = true;
}
