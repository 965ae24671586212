"""What is never accepted, recognised by the name of the column: in five languages and in the usual disguises.

This is the second fence. The first is that only known columns are stored at all; the deny-list gives the refusal its
reason, and keeps such a column from being declared as an own one (``x_…``) or mapped to a harmless name. A name that
says nothing (``x_7``) passes: whoever wants to cheat can, which is why the declared own columns are shown to people.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One kind of data that is not taken, and the words that give it away.

    A word is found anywhere in the name; ``=word`` must be a word of its own (``=age`` is not in ``manager``);
    ``==word`` must be the whole name; ``a+b`` needs all its parts. ``in_protected``: welcome in the table
    ``protected``, nowhere else.
    """

    name: str
    reason_en: str
    reason_zh: str
    words: str
    in_protected: bool = False


TOPICS: tuple[Topic, ...] = (
    Topic(
        "message content",
        "what people write or say is never read; only counts of interactions are",
        "从不读取消息或通话内容,只接受互动次数",
        "message+text message+body message+content msg+text msg+body msg+content mail+body mail+text mail+content "
        "msg+txt message+txt "
        "mail+subject ==text ==content ==subject ==内容 ==消息 "
        "subjectline subject+line chat+log chat+text chat+content chat+history chat+keyword transcript "
        "conversation =body messagetext nachricht+text nachricht+inhalt mail+inhalt contenu+message contenu+mail "
        "texte+message texto+mensaje contenido+mensaje contenido+correo "
        "聊天 消息内容 消息正文 消息文本 邮件内容 邮件正文 邮件主题 正文 通话内容 通话录音 短信内容 关键词",
    ),
    Topic(
        "emotion",
        "feelings are never read or inferred",
        "从不识别或推断情绪",
        "sentiment emotion =mood =moods =valence =arousal facial+expression stimmung gefuhl emocion =humeur "
        "estado+animo ressenti 情绪 情感 心情 情緒",
    ),
    Topic(
        "web and job sites",
        "what people look at on the web is not the employer's business",
        "员工浏览网页或招聘网站的行为不予采集",
        "web+visit website web+history browser browsing =url =urls visited job+site jobboard job+board jobsearch "
        "job+search job+portal stellenborse stellensuche jobborse surfverlauf recherche+emploi site+emploi "
        "navegacion busqueda+empleo portal+empleo linkedin 招聘网站 求职 浏览 上网 网页 网站 瀏覽",
    ),
    Topic(
        "CV uploads",
        "uploading a CV is never watched",
        "从不监测简历投递",
        "=cv =cvs resume curriculum lebenslauf bewerbung hoja+vida 简历 履历 投递 簡歷",
    ),
    Topic(
        "location traces",
        "where people go is never traced; a place of work is enough",
        "从不追踪行踪;只接受工作地点",
        "=gps =lat =lon =lng latitude longitude geoloc geotrack location+trace location+history location+track "
        "tracking+location whereabouts location+log bewegungsprofil standort+verlauf aufenthaltsort ubicacion+hist "
        "trace+position position+gps ==定位 手机定位 定位数据 定位记录 轨迹 軌跡 行踪 经度 纬度 坐标",
    ),
    Topic(
        "biometrics",
        "the body is never measured",
        "从不采集生物特征",
        "biometr fingerprint fingerabdruck empreinte huella faceid face+id facial =face =iris voiceprint heart+rate "
        "heartrate keystroke eye+track 指纹 人脸 虹膜 声纹 心率 生物特征 面部",
    ),
    Topic(
        "health",
        "health is private; a leave is counted in days without a reason",
        "健康信息属隐私;请假只计天数",
        "=health =healthstatus =healthscore medical+leave medical+cond medical+hist medical+record medical+cert "
        "medical+cost diagnos illness disease =sick sickness sickleave sick+day sickday krank gesundheit =sante "
        "maladi =salud enfermedad psychotherap depression =bmi "
        "病假 病史 病历 疾病 生病 患病 病症 病情 慢性病 职业病 健康 体检 就医 用药 抑郁",
    ),
    Topic(
        "leave reasons",
        "a reason for leave is health or family data; days of leave are enough",
        "请假原因属健康或家庭信息,只需天数",
        "leave+reason reason+leave absence+reason reason+absence leave+type absence+type abwesenheitsgrund fehlgrund "
        "abwesenheit+grund motif+absence motif+conge motivo+ausencia motivo+permiso "
        "请假原因 请假事由 请假理由 请假类型 缺勤原因 假别 假种 請假原因",
    ),
    Topic(
        "pregnancy and parenthood",
        "pregnancy and parenthood are never used",
        "从不使用怀孕或生育信息",
        "pregnan maternity paternity parental schwanger mutterschutz elternzeit enceinte grossesse maternite "
        "embaraz maternidad 怀孕 孕 产假 生育 哺乳 陪产 懷孕",
    ),
    Topic(
        "family status",
        "family is private",
        "家庭状况属隐私",
        "marital married spouse =wife =husband children =child =kids family+status familystatus divorc dependents "
        "familienstand verheiratet =kinder situation+famil matrimonial =enfants estado+civil =hijos casado "
        "婚姻 婚否 已婚 配偶 子女 孩子 家庭 离异",
    ),
    Topic(
        "religion",
        "belief is private",
        "宗教信仰属隐私",
        "religi =faith =belief konfession =kirche kirchensteuer =glaube =culte croyance 宗教 信仰",
    ),
    Topic(
        "union membership",
        "union membership must never count",
        "从不使用工会会员身份",
        "=union =unions tradeunion laborunion labourunion works+council gewerkschaft betriebsrat syndic syndiq sindica "
        "sindical 工会 工會",
    ),
    Topic(
        "political opinion",
        "political opinion must never count",
        "从不使用政治观点",
        "politi partei+mitglied party+member 政治 党派 党员 政党 入党 黨",
    ),
    Topic(
        "exercise of rights",
        "complaints, disputes and reports of wrongs must never count against a person",
        "申诉、举报与劳动争议不得被采集",
        "whistle grievance labor+dispute labour+dispute lawsuit hinweisgeber lanceur+alerte denuncia "
        "举报 申诉 维权 仲裁 劳动争议 诉讼",
    ),
    Topic(
        "private life",
        "life outside of work is not the employer's business",
        "工作之外的生活不予采集",
        "social+media socialmedia facebook instagram twitter wechatmoments credit+score creditscore criminal "
        "朋友圈 微博 征信 犯罪",
    ),
    Topic(
        "protected attribute",
        "a protected attribute belongs in the table `protected`, which only the fairness audit reads",
        "受保护属性只能放在 protected 表中,仅供公平性审计",
        "gender =sex =sexe =sexo =genre =genero geschlecht =male =female =age =ages agegroup age+group age+band "
        "age+range ageinyears =alter altersgruppe =edad birth geburt naissance nacimiento =dob =race racial ethni "
        "=raza herkunft nationality nationalit nacionalidad citizenship =origin disab disabl behinder handicap "
        "discapac sexual lgbt skin+colo veteran =ssn socialsecurity passport national+id nationalid identity+card "
        "性别 性別 男女 年龄 年齡 年纪 出生 ==生日 员工生日 民族 种族 種族 国籍 籍贯 户籍 户口 残疾 殘疾 "
        "性取向 身份证 护照",
        in_protected=True,
    ),
)

_LEET = str.maketrans("013457@$!", "oieastasi")
_LOOKALIKES = str.maketrans("аеорсухіјѕԁ", "aeopcyxijsd")


@dataclass(frozen=True)
class Refusal:
    """A column that was refused by its name; no value of it is kept."""

    header: str
    topic: str
    reason_en: str
    reason_zh: str


def refusal(header: str, *, protected_table: bool = False) -> Refusal | None:
    """Why a column of this name is not taken, or None.

    ``protected_table``: the column stands in the table ``protected``, where protected attributes belong.
    """
    forms = _forms(header)
    for topic in TOPICS:
        if topic.in_protected and protected_table:
            continue
        if any(_found(word, words, whole) for word in topic.words.split() for words, whole in forms):
            return Refusal(header, topic.name, topic.reason_en, topic.reason_zh)
    return None


def _found(word: str, words: frozenset[str], whole: str) -> bool:
    """Whether one word of a topic is in a name, given as its words and as all its letters in a row."""
    if word.startswith("=="):
        return whole == word[2:]
    if word.startswith("="):
        return word[1:] in words or whole == word[1:]
    return all(part in whole for part in word.split("+"))


def _forms(header: str) -> list[tuple[frozenset[str], str]]:
    """The name as plain words, once as written and once with digits read as letters (``g3nder``).

    Accents, invisible signs, letters of other scripts that look Latin, camel case and separators are undone first.
    """
    text = unicodedata.normalize("NFKD", header)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Cf"))
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFC", text))
    text = re.sub(r"^x[_\W]", "", text.casefold().translate(_LOOKALIKES))
    forms = []
    for form in (text, text.translate(_LEET)):
        words = [word.strip("0123456789") for word in re.findall(r"[^\W_]+", form)]
        forms.append((frozenset(words), "".join(words)))
    return forms
