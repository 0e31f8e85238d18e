/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MESSAGE_ID= of each kind of message in the journal; units/topod.catalog explains them. They are random and never change,
 * because users filter by them.
 */
#pragma once

#define TOPOD_MESSAGE_DRIFT_RESTORED "b332bf0df75940e7a16fa9bd9fc7cfb7" /* a drift was restored */
#define TOPOD_MESSAGE_DRIFT_REPORTED "ee8a7154c7a0447f9bf1dc1bdc99dc19" /* a drift was reported and left alone */
#define TOPOD_MESSAGE_DRIFT_HELD "ef5982e6894e47119070ff8480fad2c0"     /* a drift was found during a pause */
#define TOPOD_MESSAGE_DRIFT_FAILED "7da56ed504774f228f71e1101dca9b6e"   /* the repair of a drift failed */
#define TOPOD_MESSAGE_BACKED_OFF "6b0eb88d28674d4087581bd2f858d2ae"     /* something keeps undoing a repair */
#define TOPOD_MESSAGE_FAILING "b773af06dd624d9fa1a822304e1e6ce2"        /* a change failed for the first time */
#define TOPOD_MESSAGE_RECOVERED "a11427fd717741959aa57939393acfcc"      /* what failed or was contested has recovered */
#define TOPOD_MESSAGE_CONVERGED "426358190f8a41e8b764d929e5c468fc"      /* the kernel was read back and matches the file */
#define TOPOD_MESSAGE_SPARED "86d5a5b2d0f84e7b9e0f3b6f2c1a4d57"         /* an object is left to another topology */
#define TOPOD_MESSAGE_GONE "b890fbb826ec464cbbb7a15901949123"           /* an awaited interface is gone */
#define TOPOD_MESSAGE_ARRIVED "6d96023c03d44ba0b6df51caf3f19c3b"        /* an awaited interface has arrived */
#define TOPOD_MESSAGE_OVERRUN "1f2560e21b9f4a4f9ff6c7785580add3"        /* events were lost; everything is scanned */
#define TOPOD_MESSAGE_SUMMARY "6702038b2db2429e916a35a8f9806cf7"        /* how many lines of a storm were only counted */
#define TOPOD_MESSAGE_FILE_REFUSED "7c4a0064f1044104b2df268d126ba88d"   /* an error or a warning about a file */
#define TOPOD_MESSAGE_PAUSED "6784088f1302424dae08f1a0413ae783"         /* enforcement was paused for a time */
#define TOPOD_MESSAGE_RESUMED "fe0543141fc541caaa0e3e70861034c7"        /* the pause is over */
