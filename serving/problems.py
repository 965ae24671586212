"""What goes wrong while answering, as RFC 9457 problems: a status, a title, one id, and nothing about anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """One sort of problem; the same words for everybody, so that an answer betrays nothing."""

    status: int
    title_en: str
    title_zh: str


KINDS = {
    "not_found": Kind(404, "There is nothing here that you can see.", "这里没有您可以查看的内容。"),
    "expired": Kind(410, "This assessment has expired and is no longer shown.", "该评估已过有效期，不再显示。"),
    "not_scored": Kind(503, "There is no assessment yet. Run: retention-serve score", "尚无评估结果，请先运行评估。"),
    "not_signed_in": Kind(
        401,
        "Nobody is signed in. Systems send a key; people open a one-time link (retention-serve open).",
        "尚未登录。系统请使用密钥，个人请打开一次性链接（retention-serve open）。",
    ),
    "scope_missing": Kind(403, "Your access does not include this.", "您的权限不包含此内容。"),
    "not_declared": Kind(403, "Nobody may do this.", "不允许此操作。"),
    "purpose_missing": Kind(422, "State exactly one purpose.", "请说明且只说明一个用途。"),
    "purpose_unknown": Kind(
        422, "This purpose is not one a person's assessment may be read for.", "不允许以此用途查看。"
    ),
    "purpose_refused": Kind(403, "Your access does not include this purpose.", "您的权限不包含此用途。"),
    "form_refused": Kind(
        403, "This form did not come from your own page. Go back and reload it.", "表单来源无效，请返回刷新。"
    ),
    "no_pdf": Kind(
        503, "No PDF can be made here: the package reportlab is not installed.", "此处无法生成 PDF：未安装 reportlab。"
    ),
    "invalid": Kind(422, "The request does not have the right form.", "请求格式不正确。"),
    "header_missing": Kind(400, "A header that this request needs is missing.", "缺少该请求所需的请求头。"),
    "timeout": Kind(408, "The request did not arrive in time.", "请求未能及时送达。"),
    "in_progress": Kind(409, "A request with this key is being worked on.", "使用该键的请求正在处理中。"),
    "not_ready": Kind(409, "The job has no answers (yet).", "任务尚无结果。"),
    "set_aside": Kind(409, "A person has set this assessment aside.", "该评估已由人工搁置。"),
    "media": Kind(415, "Send plain application/json, not compressed.", "请发送未压缩的 application/json。"),
    "key_reused": Kind(
        422, "This Idempotency-Key was used for another request.", "该 Idempotency-Key 已用于另一个请求。"
    ),
    "too_many": Kind(429, "Too many requests. Try again later.", "请求过多，请稍后再试。"),
    "reason_needed": Kind(
        403,
        "You have opened unusually many people. Say why, in at least 20 characters (header Reading-Reason); "
        "auditors can read it.",
        "您近期查看的人员异常多。请说明理由（至少 20 个字符，请求头 Reading-Reason）；审计人员可以看到。",
    ),
    "slow_down": Kind(
        429,
        "You have opened unusually many people: one more every 30 seconds.",
        "您近期查看的人员异常多：每 30 秒可再查看一位。",
    ),
    "overloaded": Kind(503, "Too much is going on at once. Try again later.", "当前负载过高，请稍后再试。"),
    "too_many_endpoints": Kind(409, "This key has as many endpoints as it may.", "该密钥的端点数已达上限。"),
    "no_model": Kind(503, "The model is not at hand. Run: retention-serve score", "模型不可用，请先运行评估。"),
    "no_snapshot": Kind(
        503, "What was known on the day is not at hand. Run: retention-serve score", "当日数据不可用，请先运行评估。"
    ),
    "records_busy": Kind(503, "Another import is running. Try again later.", "另一项导入正在进行，请稍后再试。"),
    "stale": Kind(
        412, "Somebody was faster: this case has changed. Read it again.", "有人先一步修改了这件事，请重新查看。"
    ),
    "version_missing": Kind(
        428, "Say which version you have read, with If-Match.", "请用 If-Match 说明您看到的是哪个版本。"
    ),
    "step_not_allowed": Kind(
        409, "This step is not possible where the case stands now.", "以目前的状态，不能进行这一步。"
    ),
    "case_open": Kind(409, "This is already open for this person.", "这件事对此人已在进行中。"),
    "not_yours": Kind(403, "This is for somebody else to decide.", "这应由其他人决定。"),
    "reason_missing": Kind(422, "A reason is needed, one from the list or in words.", "请给出理由：从列表选择或写明。"),
    "day_invalid": Kind(422, "This day does not fit the case.", "日期不符合此事的时间顺序。"),
    "consent_missing": Kind(
        409, "Ask the person first: their own yes has to be noted.", "请先征得本人同意，并记录下来。"
    ),
    "decider_missing": Kind(422, "Name the person who decides, with decided_by.", "请用 decided_by 写明决定人。"),
    "decider_unknown": Kind(422, "Nobody with this number decides here.", "没有可作决定的这个工号。"),
    "too_large": Kind(413, "The request is too large.", "请求内容过大。"),
    "method": Kind(405, "This cannot be done here.", "此处不支持该操作。"),
    "store": Kind(503, "The store does not answer, so nothing is shown.", "数据库没有响应，因此不显示任何内容。"),
    "stopped": Kind(
        503,
        "The service is stopped: somebody found that it should pause. Nothing is scored or shown until two people "
        "release it. Care for people goes on without it.",
        "服务已暂停：有人认为应当先停下来。在两位人员共同解除之前，不评估也不显示任何内容。对员工的关怀请照常进行。",
    ),
    "two_people": Kind(403, "A second, different person has to agree to this.", "此操作需要另一位不同的人员同意。"),
    "not_independent": Kind(
        403,
        "Somebody else has to review this: you lead this person or have already decided something about them.",
        "须由他人复核：您是该员工的上级，或已就该员工作出过决定。",
    ),
    "already": Kind(409, "This has already been done.", "此操作已完成，无需重复。"),
    "throttled": Kind(
        429,
        "Too many tries. Wait a quarter of an hour; others can sign in meanwhile.",
        "尝试次数过多，请一刻钟后再试；其他人不受影响。",
    ),
    "sign_in_refused": Kind(
        403, "The sign-in did not succeed. Begin again from the page of sign-in.", "登录未成功，请从登录页面重新开始。"
    ),
    "provider_away": Kind(
        503,
        "The sign-in service of your organisation does not answer. Try again later.",
        "组织的登录服务没有响应，请稍后再试。",
    ),
    "failed": Kind(500, "Something went wrong. Nothing was changed.", "出现错误，没有任何改动。"),
}
BY_STATUS = {401: "not_signed_in", 403: "not_declared", 404: "not_found", 405: "method", 413: "too_large"}


class Problem(Exception):
    """An answer that is not the one hoped for; ``name`` is one of ``KINDS``. Its text never holds data.

    ``facts``: further members of the problem document, about the thing that the reader may see anyway.
    ``retry_after``: seconds after which to come again.
    """

    def __init__(
        self,
        name: str,
        errors: tuple[dict[str, str], ...] = (),
        facts: Mapping[str, Any] | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        self.name = name
        self.retry_after = retry_after
        self.kind = KINDS[name]
        self.errors = errors
        self.facts = dict(facts or {})
        super().__init__(name)
