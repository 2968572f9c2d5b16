/* pam_module/text.h - make a text that came over the wire fit to be shown. */
#ifndef CARREL_PAM_MODULE_TEXT_H
#define CARREL_PAM_MODULE_TEXT_H

/*
 * Replace, in place, what a terminal or a log would take for a command by '?': control bytes, DEL
 * and the C1 controls in their UTF-8 form. Newlines and tabs stay for a user; for a log they
 * become spaces, because a line is an entry there.
 */
void text_clean_for_user(char *text);
void text_clean_for_log(char *text);

#endif
